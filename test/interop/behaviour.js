// What every JavaScript peer does with a request, whatever library carries it: "<verb>:<argument>", argument in bytes.
'use strict';

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);

// `ask(data)` gives { answer: Promise<Buffer>, cancel() }, by the connection that the request came by.
class Behaviour {
  constructor(leave) {
    this.ask = null;
    this.leave = leave;
    this.canceled = 0;
    this.kept = [];
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

  async on_many(body) {
    const items = Array.from({ length: Number(body.toString()) }, (_, i) => Buffer.from(`item ${i}`));
    const answers = await Promise.all(items.map((item) => this.ask(item).answer));
    return Buffer.from(answers.every((answer, i) => items[i].equals(answer)) ? 'each its own' : 'mixed up');
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
