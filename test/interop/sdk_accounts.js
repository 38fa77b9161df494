// Chapters about money, about whom a customer is, and about how the JavaScript SDK connects.
'use strict';

const assert = require('assert/strict');
const { Elarian, Simulator, initializeClient } = require('elarian');
const stage = require('./sdk_stage');

const { next, kes, credentials, ASHA, PAYBILL, PURSE, SMS, WHATSAPP } = stage;

module.exports = {
  async parties(app, phone) {
    const asha = new app.Customer(ASHA);
    const { customerId } = await asha.getState();
    const customer = { customerNumber: ASHA, channelNumber: PAYBILL };
    const airtime = { customerNumber: ASHA, channelNumber: { ...PAYBILL, channel: 'airtime' } };
    const savings = { walletId: 'savings', customerId };
    const rent = { walletId: 'rent', customerId };
    const channel = { channel: 'cellular', code: 99999, source: PAYBILL.number, destination: '1', account: 'a' };

    const told = new Map();
    app.on('paymentStatus', (notification, whose, appData, callback) => {
      callback();
      told.set(`${notification.transactionId} ${notification.status}`, { notification, whose });
    });
    const settled = async (transactionId) => {
      while (!told.has(`${transactionId} success`)) await stage.pause(5);
      return told.get(`${transactionId} success`);
    };
    for (const [debit, credit, event, debitId, creditId] of [
      [PURSE, savings, null, undefined, customerId],
      [savings, rent, null, customerId, customerId],
      [rent, PURSE, null, customerId, undefined],
      [PURSE, customer, 'sendCustomerPayment', undefined, customerId],
      [savings, customer, 'sendCustomerPayment', customerId, customerId],
      [PURSE, airtime, 'sendCustomerPayment', undefined, customerId],
      [savings, channel, 'sendChannelPayment', customerId, undefined],
      [PURSE, channel, 'sendChannelPayment', undefined, undefined],
      [customer, PURSE, 'checkoutPayment', customerId, undefined],
      [customer, savings, 'checkoutPayment', customerId, customerId],
    ]) {
      if (debit === savings) await app.initiatePayment(PURSE, savings, kes(100.25), 'enough for it');
      const asked = event && next(phone, event);
      const paid = await app.initiatePayment(debit, credit, kes(100.25), 'test');
      assert.equal(paid.status, event ? 'pending_confirmation' : 'success');
      assert.deepEqual([paid.debitCustomerId, paid.creditCustomerId], [debitId, creditId]);
      assert.match(paid.transactionId, /^el_txn_/);
      if (event) {
        const { transactionId, value } = (await asked).notification;
        assert.deepEqual([transactionId, value], [paid.transactionId, kes(100.25)]);
        assert.equal((await phone.updatePaymentStatus(transactionId, 'success')).status, true);
      }
      const { notification, whose } = await settled(paid.transactionId);
      assert.equal(whose && whose.customerId, debitId || creditId); // nobody's where purse and channel alone took part
      assert.equal(notification.purseId, whose ? undefined : PURSE.purseId);
    }
    for (const [debit, credit, value, status] of [
      [customer, customer, kes(1), 'not_supported'],
      [{ purseId: 'none' }, savings, kes(1), 'invalid_purse'],
      [{ walletId: 'empty', customerId }, PURSE, kes(1), 'insufficient_funds'],
      [PURSE, savings, kes(-1), 'invalid_request'],
    ]) {
      const refused = await app.initiatePayment(debit, credit, value);
      assert.deepEqual([refused.status, refused.transactionId], [status, undefined]);
      assert.ok(refused.description);
    }
    assert.throws(() => app.initiatePayment({}, PURSE, kes(1)), /Invalid payment party/);

    const came = next(app, 'receivedPayment');
    assert.equal((await phone.receivePayment('outside', ASHA.number, PAYBILL, kes(70), 'pending_confirmation')).status, true);
    const { notification } = await came;
    assert.deepEqual([notification.status, notification.purseId], ['pending_confirmation', PURSE.purseId]);
    assert.deepEqual([notification.channelNumber, notification.value], [PAYBILL, kes(70)]);
    assert.equal((await phone.updatePaymentStatus('outside', 'success')).status, true); // by the phone's own id
    await settled(notification.transactionId);
    assert.equal((await phone.receivePayment('outside', ASHA.number, PAYBILL, kes(70), 'success')).status, false);
    const { paymentState } = await asha.getState();
    assert.equal(paymentState.transactionLogs.at(-2).narration, 'test');
    assert.deepEqual(paymentState.customerNumbers.map(({ number }) => number), [ASHA.number]);
    assert.deepEqual(paymentState.channelNumbers, [PAYBILL, airtime.channelNumber]);
    assert.deepEqual(paymentState.pendingTransactions, []);
  },

  async names(app) {
    const asha = app.initializeCustomer({ ...ASHA, partition: 'east' }); // another number than without it
    const { customerId, ...states } = await asha.getState();
    assert.deepEqual(Object.keys(states).sort(), ['activityState', 'identityState', 'messagingState', 'paymentState']);
    assert.notEqual((await new app.Customer(ASHA).getState()).customerId, customerId);

    const reply = await asha.updateSecondaryIds([{ key: 'passport', value: 'A1', expiresAt: stage.seconds() + 60 }]);
    assert.deepEqual([reply.status, reply.customerId], [true, customerId]);
    const byPassport = new app.Customer({});
    byPassport.secondaryId = { key: 'Passport', value: 'A1' }; // the SDK sends it, though its constructor takes none
    assert.equal((await byPassport.getState()).customerId, customerId);
    await assert.rejects(new app.Customer(ASHA).updateSecondaryIds([{ key: 'passport', value: 'A1' }]), Error);
    await assert.rejects(new app.Customer({ id: 'el_cst_none' }).getState(), /el_cst_none/);

    const other = new app.Customer({ number: '+254700000009', provider: 'cellular' });
    other.customerId = undefined; // so that it is named by its number
    await asha.adoptState(other);
    assert.equal((await asha.adoptState(other)).status, true); // once more
    const nobody = { key: 'no', value: 'one' };
    const reminder = { key: 'never', remindAt: stage.seconds() + 9, payload: '' };
    for (const work of [
      await app.addCustomerReminderByTag(nobody, reminder),
      await app.cancelCustomerReminderByTag(nobody, 'never'),
      await app.sendMessageByTag(nobody, SMS, { body: { text: 'x' } }),
    ]) {
      assert.equal(work.status, true);
      assert.match(work.workId, /^el_wrk_/);
    }
  },

  // Values as another serializer writes them; of the two kinds the SDK knows, binary calls a setter that is not there.
  async serializers(app, phone, at) {
    const serialize = (data) => Buffer.from(JSON.stringify(data)).toString('base64');
    const deserialize = (text) => JSON.parse(Buffer.from(text, 'base64').toString());
    const options = { ...credentials.options, serializer: { type: 'text', serialize, deserialize } };
    const coded = await initializeClient({ ...credentials, options }, at);
    const asha = new coded.Customer(ASHA);
    await asha.updateMetadata({ name: 'Asha' });
    assert.deepEqual(await asha.getMetadata(), { name: 'Asha' });
    await asha.updateAppData({ step: 1 });
    assert.deepEqual(await asha.leaseAppData(), { step: 1 });
    await asha.updateAppData({ step: 1 });
    coded.configOptions.serializer = { type: 'binary', serialize: Buffer.from, deserialize: String };
    await assert.rejects(asha.updateAppData('bytes'), /setBytesValue/);
    await assert.rejects(asha.updateMetadata({ key: 'bytes' }), /setBytesValue/);
    coded.disconnect();
  },

  async connecting(app, phone, at) {
    assert.throws(() => app.on('receivedFax', () => {}), /Unexpected event receivedFax/);
    assert.equal(app.isConnected(), true);
    const events = [];
    const quiet = new Elarian({ ...credentials, allowNotifications: false });
    assert.throws(() => quiet.getSocket(), /not connected/);
    for (const event of ['pending', 'connecting', 'closed', 'error']) {
      quiet.registerNotificationHandler(event, () => events.push(event));
    }
    await new Promise((resolve) => { quiet.on('connected', resolve).connect(at); });
    assert.deepEqual([events, quiet.isConnected()], [['pending', 'connecting'], true]);
    let heard = 0;
    quiet.on('receivedWhatsapp', () => { heard += 1; });
    for (const text of ['one', 'two', 'three']) { // who wants no notifications takes nobody's
      const came = next(app, 'receivedWhatsapp');
      await phone.receiveMessage(ASHA.number, WHATSAPP, 'any', [{ text }]);
      assert.equal((await came).notification.text, text);
    }
    assert.equal(heard, 0);
    const state = await new quiet.Customer(ASHA).getState();
    assert.match(state.customerId, /^el_cst_/);
    const closed = new Promise((resolve) => { quiet.on('closed', resolve); });
    quiet.disconnect();
    await closed;
    assert.equal(quiet.isConnected(), false);
    assert.throws(() => quiet.generateAuthToken(), /not connected/);

    app.Customer.prototype.client = app; // all clients share one class of customers, which takes the last one's side
    const other = new Simulator(credentials); // every phone of the organisation hears
    await new Promise((resolve) => { other.on('connected', resolve).connect(at); });
    const shown = [next(phone, 'sendMessage'), next(other, 'sendMessage')];
    await new app.Customer(ASHA).sendMessage(SMS, { body: { text: 'to all phones' } });
    const [one, two] = (await Promise.all(shown)).map(({ notification }) => notification.messageId);
    assert.equal(one, two);
    other.disconnect();
  },
};
