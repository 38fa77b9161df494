// Chapters about every channel that the JavaScript SDK knows, and about calls.
'use strict';

const assert = require('assert/strict');
const stage = require('./sdk_stage');

const { next, seconds, ASHA, SMS, USSD, VOICE, WHATSAPP, TELEGRAM, MESSENGER, MAIL } = stage;

const PICTURE = { url: 'https://x.example/p', type: 'video' };
const PLACE = { latitude: 1.5, longitude: 36.8, label: 'here', address: 'there' };
const LETTER = { subject: 'Hi', bodyPlain: 'plain', bodyHtml: '<p>rich</p>', ccList: ['c@x.example'], bccList: ['b@x.example'] };

// What is there of a message: the SDK's own reading of one names every field that could be.
const given = (object) => JSON.parse(JSON.stringify(object));

// Every action, each given in full.
const ACTIONS = [
  { say: { text: 'welcome', voice: 'male', playBeep: true } },
  { play: { url: 'https://x.example/a.mp3' } },
  { getDigits: { timeout: 3, numDigits: 1, finishOnKey: '#', play: { url: 'https://x.example/b.mp3' } } },
  {
    getRecording: {
      timeout: 4, maxLength: 50, finishOnKey: '*', playBeep: true, trimSilence: true, say: { text: 'speak' },
    },
  },
  {
    dial: {
      customerNumbers: [{ number: '+254700000001', provider: 'cellular' }],
      record: true,
      sequential: true,
      ringbackTone: 'https://x.example/c.mp3',
      callerId: VOICE.number,
      maxDuration: 60,
    },
  },
  { enqueue: { holdMusic: 'https://x.example/d.mp3', queueName: 'sales' } },
  { dequeue: { record: true, queueName: 'sales', number: VOICE.number } },
  { redirect: { url: 'https://x.example/next' } },
  { recordSession: true },
  { reject: true },
];
const FEMALE = 2;
const MALE = 1;
// The same as the SDK's own phone reads it.
const HEARD = [
  { say: { text: 'welcome', voice: MALE, playBeep: true } },
  { play: { url: 'https://x.example/a.mp3' } },
  {
    getDigits: {
      play: { url: 'https://x.example/b.mp3' },
      timeout: { seconds: 3, nanos: 0 },
      finishOnKey: { value: '#' },
      numDigits: { value: 1 },
    },
  },
  {
    getRecording: {
      say: { text: 'speak', voice: FEMALE, playBeep: false },
      timeout: { seconds: 4, nanos: 0 },
      maxLength: { seconds: 50, nanos: 0 },
      finishOnKey: { value: '*' },
      playBeep: true,
      trimSilence: true,
    },
  },
  {
    dial: {
      customerNumbersList: [{ provider: 2, number: '+254700000001' }],
      record: true,
      sequential: true,
      ringbackTone: { value: 'https://x.example/c.mp3' },
      callerId: { value: VOICE.number },
      maxDuration: { value: 60 },
    },
  },
  { enqueue: { holdMusic: { value: 'https://x.example/d.mp3' }, queueName: { value: 'sales' } } },
  { dequeue: { channelNumber: { channel: 2, number: VOICE.number }, record: true, queueName: { value: 'sales' } } },
  { redirect: { url: 'https://x.example/next' } },
  { recordSession: {} },
  { reject: {} },
];

module.exports = {
  async everyChannel(app, phone) {
    const events = [];
    app.on('data', (event) => { events.push(event); }); // the SDK's own, told before the handler, by the wire's name
    for (const [event, channel, number, provider] of [
      ['receivedTelegram', TELEGRAM, 'asha_on_telegram', 'telegram'],
      ['receivedFbMessenger', MESSENGER, 'asha.face', 'facebook'],
      ['receivedWhatsapp', WHATSAPP, ASHA.number, 'cellular'],
    ]) {
      const reply = { body: { text: 'Nice' }, labels: ['one'], providerTag: 'two' };
      const came = next(app, event, (_, customer, appData, callback) => callback(reply, { saw: event }));
      const answered = next(phone, 'sendMessage', stage.answerNothing, ({ message }) => message.body.text);
      const parts = [{ text: 'look' }, { media: PICTURE }, { location: PLACE }];
      assert.equal((await phone.receiveMessage(number, channel, 'any', parts)).status, true);
      const { notification, customer } = await came;
      assert.deepEqual([notification.text, notification.media, notification.location], ['look', PICTURE, PLACE]);
      assert.deepEqual(given(notification.customerNumber), { number, provider });
      assert.match(notification.sessionId, /^el_ses_/);
      const { message } = (await answered).notification;
      assert.deepEqual([message.body.text, message.labelsList, message.providerTag.value], ['Nice', ['one'], 'two']);
      assert.deepEqual(await customer.leaseAppData(), { saw: event });
      await customer.deleteAppData();
      assert.equal((await customer.sendMessage(channel, { body: { media: PICTURE } })).status, 'sent');
    }
    assert.ok(events.includes('receivedMessage'));
    app.on('data', null);

    const letter = next(app, 'receivedEmail');
    await phone.receiveMessage('asha@x.example', MAIL, 'any', [{ email: LETTER }]);
    assert.deepEqual((await letter).notification.email, LETTER);
    const posted = next(phone, 'sendMessage', stage.answerNothing, ({ message }) => message.body.email);
    const asha = new app.Customer({ number: 'asha@x.example', provider: 'email' });
    assert.equal((await asha.sendMessage(MAIL, { body: { email: LETTER } })).status, 'sent');
    const { ccList, bccList, ...text } = LETTER;
    const shown = { ...text, ccListList: ccList, bccListList: bccList };
    assert.deepEqual((await posted).notification.message.body.email, shown);
  },

  async sessions(app, phone) {
    // Of these events the SDK loses the session's id: it looks for a wrapper around it.
    const [started, renewed] = [next(app, 'messagingSessionStarted'), next(app, 'messagingSessionRenewed')];
    await phone.receiveMessage(ASHA.number, WHATSAPP, 'chat', [{ text: 'one' }]);
    await phone.receiveMessage(ASHA.number, WHATSAPP, 'chat', [{ text: 'two' }]);
    for (const { notification } of [await started, await renewed]) {
      assert.deepEqual(notification.channelNumber, WHATSAPP);
      assert.ok(notification.expiresAt > seconds());
    }
    const ended = next(app, 'messagingSessionEnded');
    const dialled = next(app, 'ussdSession', (_, customer, appData, callback) => callback({ text: 'Bye', isTerminal: true }));
    const { message } = await phone.receiveMessage(ASHA.number, USSD, 'dial', [{ ussd: { status: 'active' } }]);
    assert.deepEqual(message.body.ussd, { text: 'Bye', isTerminal: true });
    assert.deepEqual((await dialled).notification.input, { text: '', status: 'active' }); // a first dial has no text
    const { notification } = await ended;
    assert.deepEqual([notification.reason, notification.channelNumber], ['normal_clearing', USSD]);
    assert.equal(typeof notification.duration, 'number');

    // The SDK cannot read a change of consent, since it looks for the id of a session there; it answers with nothing.
    let changes = 0;
    app.on('messagingConsentUpdate', () => { changes += 1; });
    const asha = new app.Customer(ASHA);
    assert.equal((await asha.updateMessagingConsent(SMS, 'block')).status, 'completed');
    assert.equal((await asha.updateMessagingConsent({ ...SMS, number: 'TEST_SENDER_ID' }, 'allow')).status, 'completed');
    const heard = next(app, 'receivedSms');
    await phone.receiveMessage(ASHA.number, SMS, 'any', [{ text: 'three' }]); // who blocked may still write
    await heard; // all in order, so that the changes were told before
    assert.equal(changes, 0);
    const { channels } = (await asha.getState()).messagingState;
    const states = channels.map(given).map((state) => Object.keys(state).filter((key) => state[key]));
    assert.deepEqual(states.flat().sort(), ['active', 'active', 'blocked', 'inSession']);
    const { inSession } = channels.find((state) => state.inSession);
    assert.equal(inSession.expiresAt, inSession.replyToken.expiresAt);
    assert.equal(inSession.customerNumber.number, ASHA.number);
  },

  async calls(app, phone) {
    const picked = next(app, 'voiceCall', (_, customer, appData, callback) => callback(ACTIONS, { in: 'call' }));
    const dialing = { direction: 'inbound', status: 'dialing', startedAt: seconds(), hangupCause: 'normal_clearing' };
    const { status, message } = await phone.receiveMessage(ASHA.number, VOICE, 'call', [{ voice: dialing }]);
    assert.equal(status, true);
    assert.deepEqual(given(message.body.voice.actionsList), HEARD); // whatever else its phone filled in
    const { voice } = (await picked).notification;
    assert.deepEqual([voice.direction, voice.status, voice.startedAt], ['inbound', 'dialing', dialing.startedAt]);
    assert.equal(voice.hangupCause, 'normal_clearing');

    const asha = new app.Customer(ASHA);
    assert.deepEqual(await asha.leaseAppData(), { in: 'call' });
    await asha.deleteAppData();
    const rings = next(phone, 'makeVoiceCall');
    const plan = [{ say: { text: 'hello', voice: 'female' } }];
    const call = await asha.sendMessage(VOICE, { body: { voice: plan } });
    assert.equal(call.status, 'session_initiated');
    assert.match(call.sessionId, /^el_ses_/);
    assert.deepEqual((await rings).notification.channelNumber, VOICE); // the SDK loses the session's id here, too
    const on = next(app, 'voiceCall');
    const answered = { direction: 'outbound', status: 'answered' };
    const said = await phone.receiveMessage(ASHA.number, VOICE, call.sessionId, [{ voice: answered }]);
    assert.equal(said.message.body.voice.actionsList[0].say.text, 'hello');
    assert.equal((await on).notification.sessionId, call.sessionId);

    const bridged = next(app, 'voiceCall');
    const dialData = { destinationNumber: '+254700000001', startedAt: seconds(), duration: 5 };
    const recordingUrl = 'https://x.example/r.mp3';
    const going = { direction: 'outbound', status: 'bridged', dialData, recordingUrl };
    await phone.receiveMessage(ASHA.number, VOICE, call.sessionId, [{ voice: going }]);
    const heard = (await bridged).notification.voice;
    assert.deepEqual([heard.status, heard.recordingUrl], ['bridged', recordingUrl]);
    assert.equal(heard.dialData.destinationNumber, dialData.destinationNumber);
    // Digits cannot be sent: the SDK's phone calls a setter that does not exist.
    const digits = { direction: 'outbound', status: 'active', dtmfDigits: '1' };
    assert.throws(() => phone.receiveMessage(ASHA.number, VOICE, call.sessionId, [{ voice: digits }]), /setDtmlDigits/);

    // A call that is completed is, in the SDK's reading of the word, one that was dialled to its end: the cause counts.
    const ended = next(app, 'messagingSessionEnded');
    const over = { direction: 'outbound', status: 'completed', hangupCause: 'normal_clearing' };
    await phone.receiveMessage(ASHA.number, VOICE, call.sessionId, [{ voice: over }]);
    assert.equal((await ended).notification.reason, 'normal_clearing');
    assert.equal((await asha.sendMessage(VOICE, { body: { voice: plan } })).status, 'session_initiated');
  },

  async bodies(app, phone) {
    const asha = new app.Customer(ASHA);
    const sent = async (channel, message) => {
      const shown = next(phone, 'sendMessage');
      const reply = await asha.sendMessage(channel, message);
      assert.equal(reply.status, 'sent');
      assert.match(reply.messageId, /^el_msg_/);
      assert.match(reply.customerId, /^el_cst_/);
      return given((await shown).notification.message);
    };
    assert.deepEqual((await sent(WHATSAPP, { body: { location: PLACE } })).body.location, {
      ...PLACE, label: { value: 'here' }, address: { value: 'there' },
    });
    assert.deepEqual((await sent(WHATSAPP, { body: { media: PICTURE } })).body.media, { url: PICTURE.url, media: 3 });
    assert.equal((await sent(SMS, { body: { url: 'https://x.example' } })).body.url, 'https://x.example');
    // The SDK looks for a template's values beside them, and sends the names alone.
    const { template } = (await sent(SMS, { body: { template: { id: 'hi', params: { name: 'Asha' } } } })).body;
    assert.deepEqual(template, { id: 'hi', paramsMap: [['name', '']] });
    // It fills a prompt's items with the message's own picture, and fails where that has none.
    const replyPrompt = { action: 'phone_number', menu: [{ text: 'Yes' }] };
    const prompted = await sent(WHATSAPP, { body: { media: PICTURE }, replyPrompt });
    assert.deepEqual(prompted.replyPrompt, { action: 2, menuList: [{ text: '', media: { url: PICTURE.url, media: 3 } }] });
    await assert.rejects(asha.sendMessage(SMS, { body: { text: 'Yes?' }, replyPrompt }), TypeError);

    for (const [channel, message, status] of [
      [{ number: '1', channel: 'sms' }, { body: { text: 'x' } }, 'invalid_channel_number'],
      [SMS, { body: { text: 'x' }, replyToken: 'none' }, 'invalid_reply_token'],
      [SMS, { body: {} }, 'invalid_request'],
      [USSD, { body: { ussd: { text: 'x', isTerminal: true } } }, 'no_session_in_progress'],
      [TELEGRAM, { body: { text: 'x' } }, 'no_capability'],
      [SMS, { body: { voice: [{ play: { url: 'u' } }] } }, 'not_supported'],
    ]) {
      const reply = await asha.sendMessage(channel, message);
      assert.equal(reply.status, status);
      assert.ok(reply.description);
    }
    const reply = await asha.replyToMessage('el_msg_none', { body: { text: 'x' } });
    assert.equal(reply.status, 'invalid_reply_to_message_id');
    assert.match(reply.customerId, /^el_cst_/);
    assert.throws(() => phone.receiveMessage(ASHA.number, { number: '1', channel: 'fax' }, 's', []), /fax is an invalid/);
    const unknown = await phone.receiveMessage(ASHA.number, { ...USSD, number: '83044' }, 's', [{ ussd: { text: '1', status: 'completed' } }]);
    assert.equal(unknown.status, false);
  },
};
