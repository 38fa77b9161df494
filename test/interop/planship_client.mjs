// What a program written with Planship's own JavaScript client does with the stand-in, one chapter a run.
//
// `planship_client.mjs CHAPTER BASE_URL WEB_SOCKET_URL CLIENT_ID`, the secret in the environment. Prints READY at the
// start and DONE when the chapter's last assertion held; whatever fails ends the process with its reason. The client is
// an ES module, which NODE_PATH does not find, so it is imported by its file.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const installed = (file) => import(pathToFileURL(join(process.env.NODE_PATH, file)));
const { Planship, PlanshipCustomer, PlanshipSubscription } = await installed('@planship/fetch/dist/index.js');
const { WebSocket } = await installed('ws/wrapper.mjs');

const [chapter, baseUrl, webSocketUrl, clientId] = process.argv.slice(2);
const auth = { clientId, clientSecret: process.env.CLIENT_SECRET };
const options = { baseUrl, webSocketUrl };
const PRODUCT = 'clicker-demo';
const PATIENCE = 10000; // milliseconds for an update

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const customer = (id, how = auth) => new PlanshipCustomer(PRODUCT, id, how, options);
const service = () => new Planship(PRODUCT, auth, options);

// The status of the error that a call is refused with.
async function status(call) {
  try {
    await call;
  } catch (error) {
    assert.ok(error.response, String(error));
    return error.response.status;
  }
  throw new Error('it was not refused');
}

// A customer of that name with a subscription.
async function subscribed(name, plan = 'small', parameters = {}) {
  await service().createCustomer({ alternativeId: name });
  const own = customer(name);
  return { own, subscription: await own.createSubscription(plan, parameters) };
}

const chapters = {
  async catalogue() {
    const any = customer('nobody');
    const product = await any.getProduct();
    assert.equal(product.slug, PRODUCT);
    assert.match(product.organizationId, /^[0-9a-f-]{36}$/);
    assert.deepEqual((await any.listPlans()).map(({ slug }) => slug), ['small', 'medium', 'large']);
    const plan = await any.getPlan('large');
    assert.deepEqual(plan.entitlements.map(({ order }) => order), [1, 2, 3, 4, 5, 6]);
    assert.equal(plan.entitlements[0].formattedValue, 'Unlimited');
    assert.equal(plan.entitlements[0].leverName, 'Projects');
    const turned = await any.getPlan('large', ['-order']);
    assert.deepEqual(turned.entitlements.map(({ order }) => order), [6, 5, 4, 3, 2, 1]);
    const levers = await any.listLevers(['slug']);
    assert.equal(levers[0].slug, 'analytics-panel');
    assert.equal(await status(any.getPlan('none')), 404);
  },

  async customers() {
    const one = service();
    const made = await one.createCustomer({
      alternativeId: 'cust/a@b %é', name: 'Asha', email: 'asha@example.com', metadata: { nested: { list: [1, null] } },
    });
    assert.deepEqual(made.subscriptions, []);
    for (const id of ['cust/a@b %é', made.id]) {
      const found = await one.getCustomer(id);
      assert.equal(found.id, made.id);
      assert.equal(found.email, 'asha@example.com');
      assert.deepEqual(found.metadata, { nested: { list: [1, null] } });
    }
    assert.equal(await status(one.createCustomer({ alternativeId: 'cust/a@b %é' })), 409);
    assert.equal((await one.createCustomer()).name, '');
    assert.equal((await one.deleteCustomer(made.id)).id, made.id);
    assert.equal(await status(one.getCustomer(made.id)), 404);
  },

  async subscriptions() {
    const { own, subscription } = await subscribed('team/one', 'small', { maxSubscribers: 3, autoRenew: false });
    assert.equal(subscription.maxSubscribers, 3);
    assert.equal(subscription.autoRenew, false);
    assert.ok(subscription.renewAt > subscription.startAt);
    const { id } = subscription;
    assert.equal((await own.changeSubscriptionPlan(id, 'large')).plan.slug, 'large');
    const renewing = await own.changeSubscriptionRenewPlan(id, 'medium');
    assert.equal(renewing.plan.slug, 'large');
    assert.equal(renewing.renewPlan.slug, 'medium');
    assert.equal((await own.changeSubscriptionMaxSubscribers(id, 5)).maxSubscribers, 5);
    assert.equal((await own.setSubscriptionAutoRenew(id, true)).autoRenew, true);
    assert.equal((await own.setSubscriptionIsActive(id, false)).isActive, true); // its own defect: it sends {}
    const renewAt = new Date(Date.now() + 864e5);
    const changed = await own.modifySubscription(id, { planSlug: 'small', maxSubscribers: 2, renewAt });
    assert.equal(changed.plan.slug, 'small');
    assert.equal(changed.maxSubscribers, 2);
    assert.equal(changed.renewAt.getTime(), renewAt.getTime());
    assert.equal((await own.getSubscription(id)).subscriptionId, id);
    assert.deepEqual((await own.listSubscriptions()).map(({ subscriptionId }) => subscriptionId), [id]);
    assert.deepEqual(await own.listSubscriptions('another-product'), []);
    assert.equal(await status(own.changeSubscriptionPlan(id, 'none')), 404);
    assert.equal(await status(own.getSubscription('no-uuid')), 422);

    const single = new PlanshipSubscription(PRODUCT, 'team/one', id, auth, options);
    assert.equal((await single.changePlan('medium')).plan.slug, 'medium');
    assert.equal((await single.changeRenewPlan('large')).renewPlan.slug, 'large');
    assert.equal((await single.changeMaxSubscribers(4)).maxSubscribers, 4);
    assert.equal((await single.modify({ maxSubscribers: 5, autoRenew: false })).maxSubscribers, 5);
    await service().createCustomer({ alternativeId: 'guest' });
    assert.equal((await single.addCustomer('guest', true)).isAdministrator, true);
    assert.equal((await single.listCustomers()).length, 2);
    assert.equal((await single.removeCustomer('guest')).isAdministrator, true);
  },

  // The class that serves all customers: the same methods, with the customer first.
  async everyCustomer() {
    const every = service();
    await every.createCustomer({ alternativeId: 'a/1' });
    await every.createCustomer({ alternativeId: 'a/2' });
    const { id } = await every.createSubscription('a/1', 'small', { maxSubscribers: 2, metadata: { by: 'test' } });
    const here = ['a/1', id];
    assert.deepEqual((await every.getSubscription(...here)).metadata, { by: 'test' });
    assert.equal((await every.listSubscriptions('a/1', PRODUCT)).length, 1);
    assert.equal((await every.changeSubscriptionPlan(...here, 'large')).plan.slug, 'large');
    assert.equal((await every.changeSubscriptionRenewPlan(...here, 'large')).renewPlan.slug, 'large');
    assert.equal((await every.changeSubscriptionMaxSubscribers(...here, 3)).maxSubscribers, 3);
    assert.equal((await every.setSubscriptionAutoRenew(...here, false)).autoRenew, false);
    assert.equal((await every.setSubscriptionIsActive(...here, false)).isActive, true);
    assert.equal((await every.modifySubscription(...here, { planSlug: 'medium' })).plan.slug, 'medium');
    assert.equal((await every.addSubscriptionCustomer(...here, 'a/2')).isSubscriber, true);
    assert.equal((await every.listSubscriptionCustomers(...here)).length, 2);
    assert.equal((await every.reportUsage('a/2', 'button-click', 2)).usage, 2);
    assert.equal((await every.getEntitlements('a/1'))['subscription-button-clicks'], 998);
    assert.equal((await every.getLeverUsage('a/1', 'subscription-button-clicks')).total, 2);
    assert.ok('subscription-button-clicks' in await every.getMeteringIdUsage('a/1', 'button-click'));
    assert.equal((await every.removeSubscriptionCustomer(...here, 'a/2')).subscriptionId, id);
  },

  async members() {
    const { own, subscription: { id } } = await subscribed('owner', 'small', { maxSubscribers: 2 });
    const friend = await service().createCustomer({ alternativeId: 'friend' });
    const other = await service().createCustomer({});
    const added = await own.addSubscriptionCustomer(id, 'friend', false, true, { role: 'guest' });
    assert.equal(added.customerId, friend.id);
    assert.equal(added.plan.slug, 'small');
    assert.deepEqual(added.metadata, { role: 'guest' });
    assert.equal(await status(own.addSubscriptionCustomer(id, 'friend')), 409);
    assert.equal(await status(own.addSubscriptionCustomer(id, other.id)), 409);
    assert.equal(await status(customer('friend').addSubscriptionCustomer(id, other.id)), 403);
    assert.equal((await own.listSubscriptionCustomers(id)).length, 2);
    assert.equal((await own.removeSubscriptionCustomer(id, friend.id)).customerId, friend.id);
    assert.equal((await own.listSubscriptionCustomers(id)).length, 1);
  },

  async usage() {
    const { own, subscription: { id } } = await subscribed('clicker');
    assert.deepEqual(await own.getEntitlements(), {
      'max-projects': 3,
      'subscription-button-clicks': 100,
      'premium-button': false,
      'analytics-panel': false,
      'project-types': ['Hobby'],
      'button-clicks-per-project-per-day': { null: 10 },
    });
    const record = await own.reportUsage('button-click', 3);
    assert.equal(record.usage, 3);
    assert.equal(record.meteringId, 'button-click');
    assert.equal((await own.reportUsage('button-click', 4, 'p1')).bucket, 'p1');
    const left = await own.getEntitlements();
    assert.equal(left['subscription-button-clicks'], 93);
    assert.deepEqual(left['button-clicks-per-project-per-day'], { null: 7, p1: 6 });
    const usage = await own.getLeverUsage('subscription-button-clicks');
    assert.equal(usage.total, 7);
    assert.deepEqual(usage.byBucket, { null: 7 });
    assert.equal(usage.bySubscription[id][0].usage, 7);
    const levers = await own.getMeteringIdUsage('button-click');
    assert.deepEqual(levers['button-clicks-per-project-per-day'].byBucket, { null: 3, p1: 4 });
    assert.deepEqual(await own.getMeteringIdUsage('nothing-reads-it'), {});
    assert.equal(await status(own.getLeverUsage('none')), 404);
  },

  async tokens() {
    const one = customer('nobody');
    const token = await one.getAccessToken();
    assert.equal(token.tokenType, 'bearer');
    assert.equal(token.expiresIn, 3600);
    const asked = [];
    const getter = customer('nobody', async (force) => { asked.push(force); return token.accessToken; });
    assert.equal((await getter.getProduct()).slug, PRODUCT);
    assert.deepEqual(asked, [false]);
    const stranger = customer('nobody', { clientId, clientSecret: 'wrong' });
    await assert.rejects(stranger.getProduct());
    await one.getProduct();
    say('SIGNED IN'); // from here on the test revokes all tokens, once
    for (let times = 0; times < 40; times += 1) {
      assert.equal((await one.getProduct()).slug, PRODUCT);
      await pause(25);
    }
  },

  async updates() {
    Object.assign(globalThis, { window: globalThis, WebSocket });
    const { own, subscription: { id } } = await subscribed('listener');
    const heard = [];
    const first = await own.getEntitlements((entitlements) => heard.push(entitlements));
    assert.equal(first['max-projects'], 3);
    const until = async (isSo) => {
      for (const end = Date.now() + PATIENCE; !isSo(); await pause(10)) assert.ok(Date.now() < end, JSON.stringify(heard));
    };
    await until(() => own.entitlementsWebSocket?.readyState === 1);
    await service().reportUsage('listener', 'button-click', 1);
    await until(() => heard.at(-1)?.['subscription-button-clicks'] === 99);
    await service().changeSubscriptionPlan('listener', id, 'large');
    await until(() => heard.at(-1)?.['premium-button'] === true);
    assert.deepEqual(heard.at(-1), await customer('listener').getEntitlements());
    say('HEARD'); // from here on the test closes the socket
    await until(() => own.entitlementsWebSocket.readyState === 3);
  },
};

setTimeout(() => { throw new Error('it takes too long'); }, 15000).unref(); // the client spins where all is refused
say('READY');
await chapters[chapter]();
say('DONE');
process.exit(0);
