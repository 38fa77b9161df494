// Elarian's own JavaScript SDK, driven as the peers in Python are (see rounds.py): `peer_sdk.js`, ELARIAN_... set.
'use strict';

const readline = require('readline');
const { initializeClient } = require('elarian');

const CUSTOMERS = 5000;
const SMS = { number: '83044', channel: 'sms' };
const { ELARIAN_ORG_ID, ELARIAN_APP_ID, ELARIAN_API_KEY, ELARIAN_ENDPOINT } = process.env;
const options = { keepAlive: 10000, lifetime: 1800000 };
const NANOSECONDS = 1e9;

const say = (words) => process.stdout.write(`${JSON.stringify(words)}\n`);
const seconds = () => Number(process.hrtime.bigint()) / NANOSECONDS;

// One command after another, each for the next customer of those who get no other kind.
function commandsOf(app) {
  const customers = (kind) => {
    let count = -1;
    return () => {
      count = (count + 1) % CUSTOMERS;
      return new app.Customer({ number: `+254${kind}${String(count).padStart(8, '0')}`, provider: 'cellular' });
    };
  };
  const [read, written, messaged] = [5, 6, 7].map(customers);
  let times = 0;
  return {
    get_state: () => read().getState(),
    update_metadata: () => written().updateMetadata({ seen: String(++times) }), // a database that finds the same writes nothing
    send_message: () => messaged().sendMessage(SMS, { body: { text: 'Hello!' } }),
  };
}

async function round(request, inFlight, duration) {
  const took = [];
  const began = seconds();
  const until = began + duration;
  const work = async () => {
    let start = seconds();
    do {
      await request();
      took.push(seconds() - start);
      start = seconds();
    } while (start < until);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  const spent = seconds() - began;
  took.sort((one, other) => one - other);
  const at = (part) => took[Math.floor(took.length * part)] || 0;
  return { count: took.length, seconds: spent, p50: at(0.5), p99: at(0.99) };
}

async function main() {
  const { hostname, port } = new URL(ELARIAN_ENDPOINT);
  const app = await initializeClient(
    { orgId: ELARIAN_ORG_ID, appId: ELARIAN_APP_ID, apiKey: ELARIAN_API_KEY, allowNotifications: false, options },
    { host: hostname === '127.0.0.1' ? 'localhost' : hostname, port: Number(port) }, // the SDK asks for a name
  );
  const commands = commandsOf(app);
  say({ ready: true });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = JSON.parse(line);
    say(await round(commands[words.request], words.in_flight, words.seconds));
  }
  app.disconnect();
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
