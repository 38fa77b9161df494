// rsocket-js 1.0.0-alpha.3, either end: `server` binds and prints its port, `client PORT CREDENTIALS` connects.
'use strict';

const net = require('net');
const { RSocketConnector, RSocketServer } = require('rsocket-core');
const { TcpClientTransport } = require('rsocket-tcp-client');
const { TcpServerTransport } = require('rsocket-tcp-server');
const { Behaviour, say } = require('./behaviour');

const FRAGMENT = 64 * 1024;

function responder(behaviour) {
  return {
    requestResponse: ({ data }, stream) => {
      const answer = behaviour.answer(data);
      if (answer !== null) {
        answer.then((body) => stream.onNext({ data: body }, true), (error) => stream.onError(error));
      }
      return { cancel: () => behaviour.noteCancel(), onExtension: () => {} };
    },
  };
}

function asking(socket) {
  return (data) => {
    let asked;
    const answer = new Promise((resolve, reject) => {
      asked = socket.requestResponse(
        { data },
        {
          onNext: (payload) => resolve(payload.data || Buffer.alloc(0)),
          onComplete: () => resolve(Buffer.alloc(0)),
          onError: (error) => reject(new Error(`${error.code} ${error.message}`)),
          onExtension: () => {},
        },
      );
    });
    return { answer, cancel: () => asked.cancel() };
  };
}

function watch(socket) {
  socket.onClose((error) => say('CLOSED', error ? error.code || '' : '', error ? error.message : ''));
}

async function serve() {
  let listener;
  const transport = new TcpServerTransport({
    listenOptions: { host: '127.0.0.1', port: 0 },
    socketCreator: (options) => {
      listener = new net.Server(options);
      return listener;
    },
  });
  await new RSocketServer({
    transport,
    serverSideKeepAlive: true,
    fragmentation: { maxOutboundFragmentSize: FRAGMENT },
    acceptor: {
      accept: async ({ data }, socket) => {
        if (data.toString() === 'wrong') {
          throw new Error('no such key');
        }
        const behaviour = new Behaviour(() => socket.close());
        behaviour.ask = asking(socket);
        watch(socket);
        return responder(behaviour);
      },
    },
  }).bind();
  say('READY', listener.address().port);
}

async function connect(port, credentials, interval, lifetime) {
  const behaviour = new Behaviour(() => socket.close());
  const socket = await new RSocketConnector({
    setup: {
      keepAlive: Number(interval),
      lifetime: Number(lifetime),
      dataMimeType: 'application/octet-stream',
      metadataMimeType: 'application/json',
      payload: { data: Buffer.from(credentials), metadata: Buffer.from('{"agent":"test"}') },
    },
    fragmentation: { maxOutboundFragmentSize: FRAGMENT },
    responder: responder(behaviour),
    transport: new TcpClientTransport({ connectionOptions: { host: '127.0.0.1', port: Number(port) } }),
  }).connect();
  behaviour.ask = asking(socket);
  watch(socket);
  say('READY', 0);
}

const [role, ...rest] = process.argv.slice(2);
(role === 'server' ? serve : connect)(...rest);
