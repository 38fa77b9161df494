// What an app and a phone written with Elarian's own JavaScript SDK do with the sandbox, one chapter a run.
//
// `sdk_chapters.js CHAPTER HOST PORT`, credentials in the environment. Prints READY once both are connected, DONE when
// the chapter's last assertion held; whatever fails ends the process with its reason.
'use strict';

const assert = require('assert/strict');
const { RSocketResumableTransport } = require('rsocket-core');
const { Elarian, initializeClient, initializeSimulator } = require('elarian');
const stage = require('./sdk_stage');

const { say, seconds, kes, pause, next, answerNothing, credentials } = stage;
const { ASHA, SMS, USSD, VOICE, WHATSAPP, PAYBILL, PURSE } = stage;
const [chapter, host, port] = process.argv.slice(2);
const at = { host, port: Number(port) };

const chapters = {
  ...require('./sdk_channels'),
  ...require('./sdk_accounts'),
  ...require('./sdk_suite'),

  async identity(app) {
    const asha = new app.Customer(ASHA);
    const state = await asha.getState();
    assert.match(state.customerId, /^el_cst_[0-9a-f]{32}$/);
    assert.deepEqual(state.identityState, { tags: [], secondaryIds: [], metadata: {} });

    const expires = seconds() + 3600;
    await asha.updateTags([{ key: 'segment', value: 'premium' }, { key: 'level', value: 'one', expiresAt: expires }]);
    const tags = await asha.getTags();
    assert.deepEqual(tags.find(({ key }) => key === 'level'), { key: 'level', value: 'one', expiration: expires });
    await asha.deleteTags(['level']);
    assert.deepEqual(await asha.getTags(), [{ key: 'segment', value: 'premium', expiration: 0 }]);

    await asha.updateSecondaryIds([{ key: 'passport', value: 'A1' }, { key: 'card', value: 'B2' }]);
    await asha.deleteSecondaryIds([{ key: 'card', value: 'B2' }]);
    assert.deepEqual(await asha.getSecondaryIds(), [{ key: 'passport', value: 'A1', expiration: 0 }]);

    await asha.updateMetadata({ name: 'Asha', nested: { list: [1, null, true] }, gone: 1 });
    await asha.deleteMetadata(['gone']);
    assert.deepEqual(await asha.getMetadata(), { name: 'Asha', nested: { list: [1, null, true] } });

    const byId = new app.Customer({ id: state.customerId });
    await byId.getState();
    assert.equal(byId.customerNumber.number, ASHA.number);

    const other = new app.Customer({ number: '+254700000009', provider: 'cellular' });
    await other.updateMetadata({ other: 'kept' });
    await byId.adoptState(other);
    assert.equal((await other.getState()).customerId, state.customerId);
    assert.equal((await asha.getMetadata()).other, 'kept');
  },

  async large(app) {
    const asha = new app.Customer(ASHA);
    const text = 'x'.repeat(2000000);
    await asha.updateMetadata({ text });
    assert.equal((await asha.getMetadata()).text, text);

    const numbers = Array.from({ length: 300 }, (_, i) => ({ number: `+254799${i + 100000}`, provider: 'cellular' }));
    const states = await Promise.all(numbers.map((number) => new app.Customer(number).getState()));
    assert.equal(new Set(states.map(({ customerId }) => customerId)).size, numbers.length);
  },

  async appData(app) {
    const asha = new app.Customer(ASHA);
    assert.deepEqual(await asha.leaseAppData(), {});
    await asha.updateAppData({ step: 1 });
    assert.deepEqual(await asha.leaseAppData(), { step: 1 });
    let second;
    const leased = asha.leaseAppData().then((value) => { second = value; });
    await asha.getState(); // answered while the lease is waited for
    assert.equal(second, undefined);
    await asha.updateAppData({ step: 2 });
    await leased;
    assert.deepEqual(second, { step: 2 });
    await asha.deleteAppData();
    assert.deepEqual(await asha.leaseAppData(), {});
    await asha.updateAppData({ step: 3 });
  },

  async reminders(app) {
    const asha = new app.Customer(ASHA);
    await asha.updateTags([{ key: 'segment', value: 'premium' }]);
    await asha.updateAppData({ waits: true });
    await asha.addReminder({ key: 'far', remindAt: seconds() + 1000, payload: 'never', interval: 60 });
    await asha.cancelReminder('far');

    const soon = next(app, 'reminder');
    await asha.addReminder({ key: 'soon', remindAt: seconds() + 1, payload: 'wake up' });
    const { notification, appData } = await soon;
    assert.equal(notification.reminder.key, 'soon');
    assert.equal(notification.reminder.payload, 'wake up');
    assert.deepEqual(appData, { waits: true });

    const byTag = next(app, 'reminder');
    const tag = { key: 'segment', value: 'premium' };
    const { workId } = await app.addCustomerReminderByTag(tag, { key: 'all', remindAt: seconds(), payload: 'up' });
    assert.equal((await byTag).notification.workId.value, workId);
    assert.equal((await app.cancelCustomerReminderByTag(tag, 'all')).status, true);
  },

  async messaging(app, phone) {
    const asha = new app.Customer(ASHA);
    await asha.updateTags([{ key: 'segment', value: 'premium' }]);
    const [shown, status] = [next(phone, 'sendMessage'), next(app, 'messageStatus')];
    const sent = await asha.sendMessage(SMS, { body: { text: 'Hello!' } });
    assert.equal(sent.status, 'sent');
    assert.equal((await shown).notification.message.body.text, 'Hello!');
    assert.deepEqual((await status).notification.messageId, sent.messageId);

    for (const body of [
      { media: { url: 'https://x.example/a.png', type: 'image' } },
      { location: { latitude: 1.5, longitude: 36.8, label: 'here', address: 'there' } },
      { template: { id: 'welcome', params: { name: 'Asha' } } },
      { url: 'https://x.example' },
    ]) {
      assert.equal((await asha.sendMessage(WHATSAPP, { body, labels: ['one'], providerTag: 'two' })).status, 'sent');
    }

    const received = next(app, 'receivedSms', (_, customer, appData, callback) => callback(null, { heard: 1 }));
    assert.equal((await phone.receiveMessage(ASHA.number, SMS, 'any', [{ text: 'Hi there' }])).status, true);
    const { notification } = await received;
    assert.equal(notification.text, 'Hi there');
    assert.equal((await asha.replyToMessage(notification.messageId, { body: { text: 'Thanks' } })).status, 'sent');
    assert.deepEqual(await asha.leaseAppData(), { heard: 1 });
    await asha.deleteAppData();

    const picture = next(app, 'receivedWhatsapp', (_, customer, appData, callback) => callback({ body: { text: 'Nice' } }));
    await phone.receiveMessage(ASHA.number, WHATSAPP, 'any', [
      { text: 'look' },
      { media: { url: 'https://x.example/p', type: 'video' } },
      { location: { latitude: 1, longitude: 2, label: 'l', address: 'a' } },
    ]);
    const looked = (await picture).notification;
    assert.equal(looked.text, 'look');
    assert.deepEqual(looked.media, { url: 'https://x.example/p', type: 'video' });
    assert.equal(looked.location.longitude, 2);

    assert.equal((await asha.updateMessagingConsent(SMS, 'block')).status, 'completed');
    assert.equal((await asha.sendMessage(SMS, { body: { text: 'no' } })).status, 'no_consent');
    assert.equal((await asha.updateMessagingConsent(SMS, 'allow')).status, 'completed');

    const toAll = next(phone, 'sendMessage', answerNothing, ({ message }) => message.body.text === 'To all');
    const work = await app.sendMessageByTag({ key: 'segment', value: 'premium' }, SMS, { body: { text: 'To all' } });
    assert.match(work.workId, /^el_wrk_/);
    assert.equal((await toAll).notification.customerNumber.number, ASHA.number);
  },

  async ussd(app, phone) {
    app.on('ussdSession', async (notification, customer, appData, callback) => {
      const hop = appData ? appData.hop : 0;
      await customer.updateMetadata({ [`hop${hop}`]: notification.input.text }); // a command while it is being answered
      callback({ text: `hop ${hop}`, isTerminal: hop === 2 }, { hop: hop + 1 });
    });
    for (const [hop, text] of ['', '1', '42'].entries()) {
      const ussd = { text, status: hop === 2 ? 'completed' : 'active' };
      const { status, message } = await phone.receiveMessage(ASHA.number, USSD, 'any', [{ ussd }]);
      assert.equal(status, true);
      assert.deepEqual(message.body.ussd, { text: `hop ${hop}`, isTerminal: hop === 2 });
    }
    const asha = new app.Customer(ASHA);
    assert.deepEqual(await asha.leaseAppData(), { hop: 3 });
    await asha.deleteAppData();
    assert.deepEqual(await asha.getMetadata(), { hop0: '', hop1: '1', hop2: '42' });
  },

  async voice(app, phone) {
    const asha = new app.Customer(ASHA);
    const rings = next(phone, 'makeVoiceCall');
    const call = await asha.sendMessage(VOICE, { body: { voice: [{ say: { text: 'hello', voice: 'male' } }] } });
    assert.equal(call.status, 'session_initiated');
    await rings;
    const answered = next(app, 'voiceCall', (_, customer, appData, callback) => callback([
      { say: { text: 'welcome' } },
      { getDigits: { timeout: 3, numDigits: 1, finishOnKey: '#', play: { url: 'https://x.example' } } },
    ]));
    const voice = { direction: 'outbound', status: 'active', hangupCause: 'normal_clearing' };
    const { status } = await phone.receiveMessage(ASHA.number, VOICE, call.sessionId, [{ voice }]);
    assert.equal(status, true);
    assert.equal((await answered).notification.voice.status, 'active');
  },

  async payments(app, phone) {
    const asha = new app.Customer(ASHA);
    const { customerId } = await asha.getState();
    const customer = { customerNumber: ASHA, channelNumber: PAYBILL };
    const wallet = { walletId: 'savings', customerId };

    let [asked, settled] = [next(phone, 'sendCustomerPayment'), next(app, 'paymentStatus')];
    const paid = await app.initiatePayment(PURSE, customer, kes(100), 'loan');
    assert.equal(paid.status, 'pending_confirmation');
    const { value, transactionId } = (await asked).notification;
    assert.deepEqual([value, transactionId], [kes(100), paid.transactionId]);
    assert.equal((await phone.updatePaymentStatus(transactionId, 'success')).status, true);
    assert.equal((await settled).notification.status, 'success');

    asked = next(phone, 'checkoutPayment');
    settled = next(app, 'paymentStatus');
    const due = await app.initiatePayment(customer, PURSE, kes(50), 'repay');
    assert.equal((await phone.updatePaymentStatus((await asked).notification.transactionId, 'success')).status, true);
    assert.equal((await settled).notification.transactionId, due.transactionId);

    settled = next(app, 'paymentStatus');
    assert.equal((await app.initiatePayment(PURSE, wallet, kes(500), 'save')).status, 'success');
    await settled;
    asked = next(phone, 'sendChannelPayment');
    const channel = { channel: 'cellular', code: '99999', source: PAYBILL.number, destination: '1', account: 'a' };
    assert.equal((await app.initiatePayment(PURSE, channel, kes(20), 'rent')).status, 'pending_confirmation');
    assert.equal((await asked).notification.account, 'a');

    const came = next(app, 'receivedPayment');
    const external = await phone.receivePayment('from-outside', ASHA.number, PAYBILL, kes(70), 'success');
    assert.equal(external.status, true);
    assert.deepEqual((await came).notification.value, kes(70));
    assert.equal((await phone.updatePaymentStatus('nobody-knows', 'success')).status, false);
    const wallets = Object.fromEntries((await asha.getState()).paymentState.wallets);
    assert.equal(wallets.savings.actual.amount, 500);
  },

  async activityAndReplays(app) {
    const asha = new app.Customer(ASHA);
    const noted = next(app, 'customerActivity');
    await asha.updateActivity('shop.example', { key: 'look', sessionId: 'S1', properties: { page: 'one' } });
    const { activity } = (await noted).notification;
    assert.deepEqual([activity.key, activity.sessionId, activity.properties], ['look', 'S1', { page: 'one' }]);

    const then = seconds() - 100;
    const message = { provider: 'at', cost: kes(1) };
    const sent = { ...message, messageId: 'out', sentAt: then, status: 'sent', message: { body: { text: 'old' } } };
    const customer = { customerNumber: ASHA, channelNumber: PAYBILL };
    const session = { sessionId: 'past', startedAt: then, duration: 20, reason: 'inactivity', cost: kes(1) };
    const replies = [
      await app.replayMessagingConsentUpdate(ASHA, SMS, 'allow', then),
      await app.replayReceivedMessage(ASHA, SMS, { ...message, messageId: 'in', receivedAt: then, parts: [{ text: 'o' }] }),
      await app.replaySentMessage(ASHA, SMS, sent),
      await app.replayMessageStatusUpdate(ASHA, SMS, { messageId: 'out', status: 'read', updatedAt: then, cost: kes(1) }),
      await app.replayMessageReactionUpdate(ASHA, SMS, 'out', 'clicked', then),
      await app.replayMessagingSession(ASHA, WHATSAPP, session),
      await app.replayPayment('past', PURSE, customer, 'pending_confirmation', kes(5), 'old', then),
      await app.replayPaymentStatusUpdate(ASHA, 'past', 'success', then + 1),
    ];
    assert.deepEqual(replies.map(({ status }) => status), replies.map(() => true));
    const { messagingState } = await asha.getState();
    assert.equal(messagingState.messasges.length, 2); // the SDK's own spelling
    assert.equal(messagingState.sessions.length, 1);
  },

  async silentHandlers(app, phone) {
    const asha = new app.Customer(ASHA);
    await asha.updateAppData({ old: true });
    const first = next(app, 'receivedSms', (_, customer) => customer.deleteAppData()); // and never calls back
    await phone.receiveMessage(ASHA.number, SMS, 'any', [{ text: 'one' }]);
    await first;
    await pause(6000); // the SDK echoes what the handler was given after 5 s
    assert.deepEqual(await asha.leaseAppData(), {});
    await asha.updateAppData({ fresh: true });

    let calls = 0;
    app.on('receivedSms', () => {
      calls += 1;
      throw new Error('this handler is broken'); // the SDK answers all the same, with nothing
    });
    await phone.receiveMessage(ASHA.number, SMS, 'any', [{ text: 'two' }]);
    await pause(1500); // a sandbox that took it for an error would deliver again after one second
    assert.equal(calls, 1);
  },

  // Says what each handler is given, for whoever tells it.
  async told(app, phone) {
    let count = 0;
    for (const client of [app, phone]) {
      for (const event of Object.keys(client.eventListeners).slice(6)) { // behind those of the connection
        client.on(event, (notification, customer, appData, callback) => {
          count += 1;
          say('TOLD', count, event, JSON.stringify(notification));
          callback();
        });
      }
    }
    say('LISTENING');
    await pause(60000); // until the test ends the process
  },

  async tokens(app) {
    const { token, lifetime } = await app.generateAuthToken();
    assert.match(token, /^el_tkn_/);
    assert.ok(lifetime > 0);
    const asha = new app.Customer(ASHA);
    const { customerId } = await asha.getState();
    const { orgId, appId, apiKey } = credentials;
    const web = await initializeClient({ orgId, appId, authToken: token }, at);
    assert.equal((await new web.Customer(ASHA).getState()).customerId, customerId);
    web.disconnect();

    const wrong = new Elarian({ orgId, appId, apiKey: `${apiKey}x` });
    const error = await new Promise((resolve, reject) => {
      wrong.on('error', resolve);
      wrong.on('connected', () => reject(new Error('a wrong key was let in')));
      wrong.connect(at);
    });
    assert.match(error.message, /REJECTED_SETUP/);
  },
};

// The SDK asks its transport for its state, and the one that resumes cannot say, so that no such app ever connected:
// the answer is put in its mouth here.
function askForResumption() {
  RSocketResumableTransport.prototype.getConnectionState = function state() {
    return this._status;
  };
  credentials.options.resumable = true;
}

async function main() {
  if (process.env.SANDBOX_RESUMABLE) {
    askForResumption();
  }
  const opening = initializeClient(credentials, at);
  await pause(5); // their resume tokens are the app's id and the millisecond
  const [app, phone] = await Promise.all([opening, initializeSimulator(credentials, at)]);
  say('READY');
  await chapters[chapter](app, phone, at);
  say('DONE');
  app.disconnect();
  phone.disconnect();
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error ? error.stack : error}\n`);
    process.exit(1);
  },
);
