// rsocket-js 0.0.27, either end; arguments as in Peer.java. It has no server that resumes.
'use strict';

const net = require('net');
const {
  BufferEncoders,
  IdentitySerializers,
  RSocketClient,
  RSocketResumableTransport,
  RSocketServer,
} = require('rsocket-core');
const { Single } = require('rsocket-flowable');
const { default: TcpClient } = require('rsocket-tcp-client');
const { default: TcpServer } = require('rsocket-tcp-server');
const { default: WebSocketClient } = require('rsocket-websocket-client');
const { default: WebSocketServer } = require('rsocket-websocket-server');
const WebSocket = require('ws');
const { Behaviour, say } = require('./behaviour');

const host = '127.0.0.1';
const RETRY = 20; // milliseconds
const RESUMPTION = {
  bufferSize: 4 * 1024 * 1024, // of bytes, whatever its documentation says; past that it drops the oldest
  resumeToken: Buffer.from('token of js0'),
  sessionDurationSeconds: 120,
};

function responder(behaviour) {
  return {
    requestResponse: ({ data }) =>
      new Single((subscriber) => {
        subscriber.onSubscribe(() => behaviour.noteCancel());
        const answer = behaviour.answer(data);
        if (answer !== null) {
          answer.then((body) => subscriber.onComplete({ data: body }), (error) => subscriber.onError(error));
        }
      }),
  };
}

function asking(socket) {
  return (data) => {
    let cancel;
    const answer = new Promise((resolve, reject) => {
      socket.requestResponse({ data }).subscribe({
        onComplete: (payload) => resolve(payload.data),
        onError: (error) => reject(new Error(error.source ? `${error.source.code} ${error.source.message}` : error.message)),
        onSubscribe: (stop) => {
          cancel = stop;
        },
      });
    });
    return { answer, cancel: () => cancel() };
  };
}

function follow(connection, onStatus) {
  connection.connectionStatus().subscribe({
    onNext: onStatus,
    onSubscribe: (subscription) => subscription.request(Number.MAX_SAFE_INTEGER),
  });
}

function watch(socket) {
  follow(socket, ({ kind, error }) => {
    if (kind === 'CLOSED' || kind === 'ERROR') {
      say('CLOSED', kind, error ? error.message : '');
    }
  });
}

const listeners = {
  tcp: () => {
    const listener = net.createServer();
    listener.on('listening', () => say('READY', listener.address().port));
    return new TcpServer({ host, port: 0, serverFactory: (onConnection) => listener.on('connection', onConnection) }, BufferEncoders);
  },
  ws: () =>
    new WebSocketServer({ host, port: 0 }, BufferEncoders, (options) => {
      const listener = new WebSocket.Server(options);
      return listener.on('listening', () => say('READY', listener.address().port));
    }),
};

const dialers = {
  tcp: (port) => new TcpClient({ host, port: Number(port) }, BufferEncoders),
  ws: (port) => new WebSocketClient({ url: `ws://${host}:${port}/`, wsCreator: (url) => new WebSocket(url) }, BufferEncoders),
};

function serve(transport) {
  new RSocketServer({
    transport: listeners[transport](),
    serializers: IdentitySerializers,
    errorHandler: (error) => say('HEARD', error.source ? error.source.code : '', error.message),
    getRequestHandler: (socket, { data }) => {
      if (data.toString() === 'wrong') {
        throw new Error('no such key');
      }
      const behaviour = new Behaviour(() => socket.close());
      behaviour.ask = asking(socket);
      watch(socket);
      return responder(behaviour);
    },
  }).start();
}

// What resumes does not come back by itself: whoever uses it connects it again.
function resumable(dial) {
  const transport = new RSocketResumableTransport(dial, RESUMPTION, BufferEncoders);
  let begun = false;
  follow(transport, ({ kind }) => {
    if (kind === 'NOT_CONNECTED' && begun) {
      setTimeout(() => transport.connect(), RETRY);
    }
    begun = true;
  });
  return transport;
}

function connect(transport, port, credentials, interval, lifetime, wrap = (dial) => dial()) {
  const behaviour = new Behaviour(() => client.close());
  const client = new RSocketClient({
    setup: {
      keepAlive: Number(interval),
      lifetime: Number(lifetime),
      dataMimeType: 'application/octet-stream',
      metadataMimeType: 'application/json',
      payload: { data: Buffer.from(credentials), metadata: Buffer.from('{"agent":"test"}') },
    },
    responder: responder(behaviour),
    serializers: IdentitySerializers,
    errorHandler: (error) => say('HEARD', error.source ? error.source.code : '', error.message),
    transport: wrap(() => dialers[transport](port)),
  });
  client.connect().subscribe({
    onComplete: (socket) => {
      behaviour.ask = asking(socket);
      watch(socket);
      say('READY', 0);
    },
    onError: (error) => say('CLOSED', 'ERROR', error.message),
  });
}

const roles = { server: serve, client: connect, 'client-resumable': (...rest) => connect(...rest, resumable) };

const [role, ...rest] = process.argv.slice(2);
roles[role](...rest);
