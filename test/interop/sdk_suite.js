// A test suite as the JavaScript SDK's authors may have: one file's worth after another, each with a client of its own.
//
// Payments and messages get on by themselves, the key is the suite's own, and each test has ten seconds, as mocha gives it.
'use strict';

const assert = require('assert/strict');
const { initializeClient, initializeSimulator } = require('elarian');
const stage = require('./sdk_stage');

const { credentials, kes, seconds, SMS, USSD, VOICE, WHATSAPP, PAYBILL, PURSE } = stage;
const LIMIT = 10000; // milliseconds

let count = 0;
const aNumber = () => {
  count += 1;
  return { number: `+25472${String(count).padStart(7, '0')}`, provider: 'cellular' };
};

// The next of an event; its handler stays, as in a suite that never takes one away.
const once = (client, event) => new Promise((resolve) => {
  client.on(event, (notification, customer, appData, callback) => {
    callback();
    resolve({ notification, customer, appData });
  });
});

async function test(name, run) {
  const late = new Promise((_, reject) => { setTimeout(() => reject(new Error(`${name}: too late`)), LIMIT).unref(); });
  await Promise.race([run(), late]);
}

const has = (object, ...keys) => keys.forEach((key) => assert.ok(key in object, `${key} in ${JSON.stringify(object)}`));

module.exports = {
  async suite(first, second, at) {
    first.disconnect();
    second.disconnect();
    const customerNumber = aNumber();
    const file = async (name, tests) => {
      const [app, phone] = await Promise.all([initializeClient(credentials, at), initializeSimulator(credentials, at)]);
      const asha = new app.Customer(customerNumber);
      for (const [title, run] of Object.entries(tests)) {
        await test(`${name} ${title}`, () => run(app, asha, phone));
      }
      app.disconnect();
      phone.disconnect();
    };

    await file('customer', {
      getState: async (app, asha) => has(await asha.getState(), 'customerId', 'identityState', 'messagingState', 'paymentState', 'activityState'),
      adoptState: async (app, asha) => {
        const other = new app.Customer(aNumber());
        await other.getState();
        has(await asha.adoptState(other), 'status', 'description', 'customerId');
      },
      tags: async (app, asha) => {
        has(await asha.updateTags([{ key: 'coolest', value: 'person', expiresAt: seconds() + 5000 }]), 'status');
        assert.equal((await asha.getTags())[0].key, 'coolest');
        await asha.deleteTags(['coolest', 'never there']);
      },
      messageStatus: async (app, asha) => {
        const told = once(app, 'messageStatus');
        const reply = await asha.sendMessage(SMS, { body: { text: 'one' } });
        assert.equal(reply.status, 'sent');
        has((await told).notification, 'messageId', 'status', 'customerId', 'orgId', 'appId', 'createdAt');
      },
      secondMessage: async (app, asha) => assert.equal((await asha.sendMessage(SMS, { body: { text: 'two' } })).status, 'sent'),
      reminder: async (app, asha) => {
        const told = once(app, 'reminder');
        await asha.addReminder({ key: 'KEY', remindAt: Date.now() / 1000 + 1.5, payload: 'some str' });
        const { notification } = await told;
        assert.deepEqual([notification.reminder.key, notification.reminder.payload], ['KEY', 'some str']);
      },
      activity: async (app, asha) => {
        const told = once(app, 'customerActivity');
        await asha.updateActivity('test.com', { key: 'k', sessionId: 's', properties: { ok: '1', val: 'false' } });
        has((await told).notification, 'customerNumber', 'source', 'sessionId', 'activity');
      },
      appData: async (app, asha) => {
        await asha.updateAppData({ a: 1 });
        assert.deepEqual(await asha.leaseAppData(), { a: 1 });
        has(await asha.deleteAppData(), 'status');
      },
    });
    await file('messaging', {
      voice: async (app, asha) => {
        const reply = await asha.sendMessage(VOICE, { body: { voice: [{ say: { text: 'hi', voice: 'male' } }] } });
        assert.equal(reply.status, 'session_initiated');
      },
      consent: async (app, asha) => assert.equal((await asha.updateMessagingConsent(WHATSAPP, 'allow')).status, 'completed'),
      ussd: async (app, asha, phone) => {
        const told = once(app, 'ussdSession');
        const reply = phone.receiveMessage(customerNumber.number, USSD, 'fake-session', [{ ussd: { text: '', status: 'active' } }]);
        has((await told).notification, 'input', 'sessionId', 'messageId');
        assert.equal((await reply).status, false); // nobody gave a menu
      },
      sms: async (app, asha, phone) => {
        const told = once(app, 'receivedSms');
        assert.equal((await phone.receiveMessage(customerNumber.number, SMS, 'fake', [{ text: 'SMS Message' }])).status, true);
        has((await told).notification, 'text', 'messageId');
      },
    });
    await file('payment', {
      checkout: async (app, asha) => {
        const told = once(app, 'paymentStatus');
        const reply = await app.initiatePayment({ customerNumber, channelNumber: PAYBILL }, PURSE, kes(100), 'due');
        assert.equal(reply.status, 'pending_confirmation');
        const { notification, customer } = await told;
        assert.deepEqual([notification.status, notification.transactionId], ['success', reply.transactionId]);
        assert.ok(customer);
      },
      wallet: async (app, asha) => {
        const wallet = { walletId: 'test', customerId: (await asha.getState()).customerId };
        assert.equal((await app.initiatePayment(PURSE, wallet, kes(100), 'in')).status, 'success');
        const out = await app.initiatePayment(wallet, { customerNumber, channelNumber: PAYBILL }, kes(50), 'out');
        assert.equal(out.status, 'pending_confirmation');
      },
      receivedPayment: async (app, asha, phone) => {
        const told = once(app, 'receivedPayment');
        assert.equal((await phone.receivePayment(`t-${seconds()}`, customerNumber.number, PAYBILL, kes(50), 'pending_confirmation')).status, true);
        has((await told).notification, 'purseId', 'value', 'status', 'transactionId');
      },
    });
    await file('simulator', {
      makeVoiceCall: async (app, asha, phone) => {
        const rings = once(phone, 'makeVoiceCall');
        await new app.Customer(aNumber()).sendMessage(VOICE, { body: { voice: [{ say: { text: 'hi' } }] } });
        await rings;
      },
      voiceCall: async (app, asha, phone) => {
        app.on('voiceCall', (notification, customer, appData, callback) => callback([{ say: { text: 'hi' } }]));
        const part = { voice: { direction: 'inbound', status: 'dialing', startedAt: seconds(), hangupCause: 'user_busy' } };
        const reply = await phone.receiveMessage(aNumber().number, VOICE, 'fake', [part]);
        assert.ok(reply.message.body.voice);
      },
      checkoutPayment: async (app, asha, phone) => {
        const asked = once(phone, 'checkoutPayment');
        await app.initiatePayment({ customerNumber, channelNumber: PAYBILL }, PURSE, kes(10), '');
        has((await asked).notification, 'transactionId', 'value', 'customerNumber', 'channelNumber', 'purse');
      },
    });
  },
};
