// What a program written with Talon.One's own JavaScript client does with the stand-in, one chapter a run.
//
// `talon_one_client.js CHAPTER BASE_URL`, the keys in the environment. Prints READY at the start and DONE when the
// chapter's last assertion held; whatever fails ends the process with its reason. Of the client's thirteen operations
// these are the five of the first version; the others came later.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const TalonOne = require('talon_one');

const [chapter, baseUrl] = process.argv.slice(2);
const client = TalonOne.ApiClient.instance;
client.basePath = baseUrl;
client.authentications.api_key_v1.apiKey = process.env.API_KEY;
client.authentications.api_key_v1.apiKeyPrefix = 'ApiKey-v1';
const api = new TalonOne.IntegrationApi();

const ODD = 'a/b c+é@x.y%';
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const session = (id, body, options) => api.updateCustomerSession(id, body, options);
const profile = (id, attributes = {}) => api.updateCustomerProfile(id, { attributes });
const event = (body, options) => api.trackEvent({ attributes: {}, ...body }, options);
const referral = (body) => api.createReferral({ campaignId: 1, ...body });
const effects = (state) => state.event.effects.map((effect) => effect[3]);

// What a call is refused with.
async function refusal(call) {
  try {
    await call;
  } catch (error) {
    assert.ok(error.status, String(error.error || error));
    return error;
  }
  throw new Error('it was not refused');
}

// Check that a call is refused, and where the body was wrong.
async function refused(call, status, ...pointers) {
  const error = await refusal(call);
  assert.equal(error.status, status);
  assert.equal(typeof error.body.message, 'string');
  assert.deepEqual((error.body.errors || []).map((each) => each.source.pointer), pointers);
}

const CHAPTERS = {
  // Each operation, with plain objects and with the client's own models.
  async operations() {
    const first = await profile('u1', { Name: 'Val é', Gone: 1 });
    assert.equal(first.event.type, 'talon_profile_created');
    assert.ok(first.event.created instanceof Date);
    assert.equal(first.session.state, 'open');
    const second = await profile('u1', { Gone: null });
    assert.deepEqual(second.profile.attributes, { Name: 'Val é' });
    const made = await referral({ advocateProfileIntegrationId: 'u1', expiryDate: new Date('2099-05-20T12:00:00+02:00') });
    assert.equal(made.code.length, 8);
    assert.equal(made.usageLimit, 1);
    assert.equal(made.expiryDate.toISOString(), '2099-05-20T10:00:00.000Z');
    const body = new TalonOne.NewCustomerSession();
    body.profileId = 'u1';
    body.cartItems = [{ name: 'Tea', sku: 't-1', quantity: 2, price: 4.5 }];
    body.total = 9;
    assert.equal(body.state, 'open');
    const opened = await session('cart-7', body);
    assert.equal(opened.event.type, 'talon_session_created');
    assert.equal(opened.session.cartItems[0].position, 0);
    assert.equal(opened.session.firstSession, true);
    const seen = await event({ sessionId: 'cart-7', type: 'seen', attributes: { Page: 3 }, profileId: 'u1' });
    assert.deepEqual(seen.event.attributes, { Page: 3 });
    const closed = await session('cart-7', { state: 'closed' });
    assert.equal(closed.profile.closedSessions, 1);
    assert.equal(closed.profile.totalSales, 9);
    const cancelled = await session('cart-7', { state: 'cancelled' });
    assert.equal(cancelled.event.type, 'talon_session_revoked');
    assert.equal(cancelled.profile.totalSales, 0);
    await api.deleteCustomerData('u1');
    await refused(api.deleteCustomerData('u1'), 404);
  },

  // Ids of any characters, and everything that may be asked dry.
  async corners() {
    await profile(ODD);
    const dry = await session(ODD, { profileId: ODD, state: 'closed' }, { dry: true });
    assert.equal(dry.profile.closedSessions, 1);
    const wet = await session(ODD, { profileId: ODD }, { dry: false });
    assert.equal(wet.event.type, 'talon_session_created');
    assert.equal(wet.session.integrationId, ODD);
    assert.equal(wet.profile.closedSessions, 0);
    await event({ sessionId: 'never', type: 'seen' }, { dry: true });
    assert.equal((await event({ sessionId: 'never', type: 'seen' })).session.profileId, '');
    await api.updateCustomerProfile('nobody', {}, { dry: true });
    await refused(api.deleteCustomerData('nobody'), 404);
    await api.deleteCustomerData(ODD);
  },

  // Coupons, referral codes and the discounts of a rule.
  async campaigns() {
    await profile('u1');
    const { code } = await referral({ advocateProfileIntegrationId: 'u1' });
    const state = await session('s', { profileId: 'u2', coupon: 'SPRING', referral: code, total: 9 });
    assert.deepEqual(effects(state), [['acceptCoupon', 'SPRING'], ['acceptReferral', code], ['setDiscount', 'Spring', 2]]);
    assert.deepEqual(state.session.discounts, { Spring: 2 });
    await session('s', { state: 'closed' });
    const late = await session('t', { profileId: 'u1', coupon: 'SPRING', referral: code });
    assert.deepEqual(effects(late), [['rejectCoupon', 'SPRING'], ['rejectReferral', code]]);
    assert.equal(late.event.meta.couponRejectionReason.reason, 'CouponLimitReached');
    assert.equal(late.event.meta.referralRejectionReason.reason, 'ReferralRecipientIdSameAsAdvocate');
    await session('s', { state: 'cancelled' });
    assert.deepEqual(effects(await session('t', { referral: '' })), [['acceptCoupon', 'SPRING'], ['setDiscount', 'Spring', 2]]);
  },

  // What is refused, and that the client can say why.
  async errors() {
    await refused(session('s', { state: 'shut' }), 400, '/state');
    await refused(session('s', { state: 'cancelled' }), 400, '/state');
    await refused(session('s', { cartItems: [{}] }), 400, ...['name', 'sku', 'quantity', 'price'].map((name) => `/cartItems/0/${name}`));
    await session('s', { profileId: 'u1' });
    await refused(event({ sessionId: 's', type: 'seen', profileId: 'u2' }), 400, '/profileId');
    await refused(event({ sessionId: 's', type: 'talon_mine' }), 400, '/type');
    await refused(referral({ advocateProfileIntegrationId: 'nobody' }), 400, '/advocateProfileIntegrationId');
    await session('s', { state: 'closed' });
    await refused(session('s', new TalonOne.NewCustomerSession()), 400, '/state');
    await refused(event({ sessionId: 's', type: 'seen' }), 400, '/sessionId');
    client.authentications.api_key_v1.apiKeyPrefix = undefined;
    await refused(session('s', {}), 401);
  },

  // The older way to say who asks, over the bytes that the client sends.
  async signature() {
    client.authentications.api_key_v1.apiKey = undefined;
    client.plugins = [(request) => {
      const end = request.end.bind(request);
      request.end = (done) => {
        const bytes = request._data === undefined ? '' : JSON.stringify(request._data);
        const key = Buffer.from(process.env.APPLICATION_KEY, 'hex');
        const signature = crypto.createHmac('md5', key).update(bytes).digest('hex');
        request.set('Content-Signature', `signer=1; signature=${signature}`);
        return end(done);
      };
    }];
    assert.equal((await profile('u1', { Name: 'Val é' })).profile.attributes.Name, 'Val é');
    assert.equal((await session('s', { profileId: 'u1' })).session.profileId, 'u1');
    assert.equal((await event({ sessionId: 's', type: 'seen' })).event.type, 'seen');
    assert.equal((await referral({ advocateProfileIntegrationId: 'u1' })).code.length, 8);
    await api.deleteCustomerData('u1');
    process.env.APPLICATION_KEY = '00';
    const error = await refusal(session('s', {}));
    assert.deepEqual([error.status, error.body.message], [400, 'HMAC signature mismatch.']);
  },

  // What goes wrong on purpose: the test has prepared a 503, a page that is no JSON, and a dropped connection.
  async failures() {
    assert.equal((await refusal(session('s', {}))).status, 503);
    assert.equal((await refusal(session('s', {}))).status, 502);
    await assert.rejects(session('s', {}), (error) => error.status === undefined && Boolean(error.error));
    assert.equal((await session('s', {})).event.type, 'talon_session_created');
  },
};

say('READY');
CHAPTERS[chapter]().then(() => say('DONE'), (error) => {
  console.error(error.stack || (error.error && error.error.stack) || error);
  process.exitCode = 1;
});
