// rsocket-js 1.0.0-alpha.3, either end; arguments as in Peer.java.
'use strict';

const net = require('net');
const { RSocketConnector, RSocketServer } = require('rsocket-core');
const { TcpClientTransport } = require('rsocket-tcp-client');
const { TcpServerTransport } = require('rsocket-tcp-server');
const { WebsocketClientTransport } = require('rsocket-websocket-client');
const { WebsocketServerTransport } = require('rsocket-websocket-server');
const WebSocket = require('ws');
const { Behaviour, say } = require('./behaviour');

const host = '127.0.0.1';
const FRAGMENT = 64 * 1024;
const RETRY = 20; // milliseconds
const SESSION = 120000;

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

function announced(listener) {
  return listener.on('listening', () => say('READY', listener.address().port));
}

const listeners = {
  tcp: () =>
    new TcpServerTransport({ listenOptions: { host, port: 0 }, socketCreator: (options) => announced(new net.Server(options)) }),
  ws: () => new WebsocketServerTransport({ host, port: 0, wsCreator: (options) => announced(new WebSocket.Server(options)) }),
};

const dialers = {
  tcp: (port) => new TcpClientTransport({ connectionOptions: { host, port: Number(port) } }),
  ws: (port) => new WebsocketClientTransport({ url: `ws://${host}:${port}/`, wsCreator: (url) => new WebSocket(url) }),
};

async function serve(isResumable, transport) {
  await new RSocketServer({
    transport: listeners[transport](),
    resume: isResumable ? { sessionTimeout: SESSION } : undefined,
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
}

async function connect(isResumable, transport, port, credentials, interval, lifetime) {
  const behaviour = new Behaviour(() => socket.close());
  const socket = await new RSocketConnector({
    setup: {
      keepAlive: Number(interval),
      lifetime: Number(lifetime),
      dataMimeType: 'application/octet-stream',
      metadataMimeType: 'application/json',
      payload: { data: Buffer.from(credentials), metadata: Buffer.from('{"agent":"test"}') },
    },
    resume: isResumable
      ? {
          tokenGenerator: () => Buffer.from('token of js1'),
          reconnectFunction: () => new Promise((again) => setTimeout(again, RETRY)),
        }
      : undefined,
    fragmentation: { maxOutboundFragmentSize: FRAGMENT },
    responder: responder(behaviour),
    transport: dialers[transport](port),
  }).connect();
  behaviour.ask = asking(socket);
  watch(socket);
  say('READY', 0);
}

const [role, ...rest] = process.argv.slice(2);
(role.startsWith('server') ? serve : connect)(role.endsWith('-resumable'), ...rest);
