// What every JavaScript peer does with a request, whatever library carries it: "<verb>:<argument>", argument in bytes.
'use strict';

const AT_ONCE = 16;

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);

// `ask(data)` gives { answer: Promise<Buffer>, cancel() }, by the connection that the request came by.
class Behaviour {
  constructor(leave) {
    this.ask = null;
    this.leave = leave;
    this.canceled = 0;
    this.kept = [];
    this.jobs = new Map();
  }

  // The answer as a promise, or null for a request that is to wait for ever.
  answer(data) {
    const at = data.indexOf(':');
    const verb = data.toString('latin1', 0, at);
    return this[`on_${verb}`](data.subarray(at + 1));
  }

  noteCancel() {
    this.canceled += 1;
  }

  async on_echo(body) {
    return body;
  }

  async on_fail(body) {
    throw new Error(body.toString());
  }

  on_never() {
    return null;
  }

  async on_canceled() {
    return Buffer.from(String(this.canceled));
  }

  async on_ask(body) {
    try {
      return await this.ask(body).answer;
    } catch (error) {
      return Buffer.from(`failed: ${error.message}`);
    }
  }

  on_many(body) {
    const number = Number(body.toString());
    return this.askAll(number, number);
  }

  on_load(body) {
    return this.askAll(Number(body.toString()), AT_ONCE);
  }

  async askAll(number, atOnce) {
    let next = 0;
    let right = true;
    const work = async () => {
      while (next < number) {
        const item = Buffer.from(`item ${next++}`);
        right = item.equals(await this.ask(item).answer) && right;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return Buffer.from(right ? 'each its own' : 'mixed up');
  }

  async on_job(body) {
    const job = body.toString();
    this.jobs.set(job, (this.jobs.get(job) || 0) + 1);
    await new Promise((done) => setTimeout(done, body.length % 7));
    return body;
  }

  async on_jobs() {
    const runs = [...this.jobs.values()].reduce((sum, each) => sum + each, 0);
    return Buffer.from(`${this.jobs.size} ${runs}`);
  }

  async on_keep(body) {
    const asked = this.ask(body);
    asked.answer.catch(() => {});
    this.kept.push(asked);
    return Buffer.from('kept');
  }

  async on_drop() {
    this.kept.splice(0).forEach((asked) => asked.cancel());
    return Buffer.from('dropped');
  }

  async on_leave() {
    setImmediate(this.leave);
    return Buffer.from('bye');
  }
}

module.exports = { Behaviour, say };
