// What the chapters of Elarian's own JavaScript SDK share: who comes in, the sandbox's numbers, and waiting for events.
'use strict';

const PATIENCE = 15000; // milliseconds for a notification; the longest is due after a second
const PHONE = '+254711621711';

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const seconds = () => Math.floor(Date.now() / 1000);
const kes = (amount) => ({ amount, currencyCode: 'KES' });
const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

const answerNothing = (notification, customer, appData, callback) => callback();

// The next notification of an event that is the wanted one, answered by `handle`.
function next(client, event, handle = answerNothing, isWanted = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} came`)), PATIENCE);
    client.on(event, (notification, customer, appData, callback) => {
      if (!isWanted(notification)) {
        callback();
        return;
      }
      clearTimeout(timer);
      client.on(event, null);
      handle(notification, customer, appData, callback);
      resolve({ notification, customer, appData });
    });
  });
}

// What a client is set up with: the intervals are those that the SDK's authors test with.
const credentials = {
  orgId: process.env.ORG_ID,
  appId: process.env.APP_ID,
  apiKey: process.env.API_KEY,
  options: { keepAlive: 2500, lifetime: 1800000 },
};

module.exports = {
  say,
  seconds,
  kes,
  pause,
  answerNothing,
  next,
  credentials,
  SMS: { number: '83044', channel: 'sms' },
  USSD: { number: '*83044#', channel: 'ussd' },
  VOICE: { number: PHONE, channel: 'voice' },
  WHATSAPP: { number: PHONE, channel: 'whatsapp' },
  TELEGRAM: { number: PHONE, channel: 'telegram' },
  MESSENGER: { number: PHONE, channel: 'messenger' }, // the SDK takes the end of a name for the whole of it
  MAIL: { number: 'sandbox@elarian.example', channel: 'email' },
  PAYBILL: { number: '83044', channel: 'cellular' },
  PURSE: { purseId: process.env.PURSE_ID },
  ASHA: { number: '+254709759881', provider: 'cellular' },
};
