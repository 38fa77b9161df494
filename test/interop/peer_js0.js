// rsocket-js 0.0.27, either end: `server` binds and prints its port, `client PORT CREDENTIALS` connects.
'use strict';

const net = require('net');
const { BufferEncoders, IdentitySerializers, RSocketClient, RSocketServer } = require('rsocket-core');
const { Single } = require('rsocket-flowable');
const { default: TcpClient } = require('rsocket-tcp-client');
const { default: TcpServer } = require('rsocket-tcp-server');
const { Behaviour, say } = require('./behaviour');

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

function watch(socket) {
  socket.connectionStatus().subscribe({
    onNext: ({ kind, error }) => {
      if (kind === 'CLOSED' || kind === 'ERROR') {
        say('CLOSED', kind, error ? error.message : '');
      }
    },
    onSubscribe: (subscription) => subscription.request(Number.MAX_SAFE_INTEGER),
  });
}

function serve() {
  const listener = net.createServer();
  const transport = new TcpServer(
    {
      host: '127.0.0.1',
      port: 0,
      serverFactory: (onConnection) => listener.on('connection', onConnection).on('listening', () => say('READY', listener.address().port)),
    },
    BufferEncoders,
  );
  new RSocketServer({
    transport,
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

function connect(port, credentials, interval, lifetime) {
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
    transport: new TcpClient({ host: '127.0.0.1', port: Number(port) }, BufferEncoders),
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

const [role, ...rest] = process.argv.slice(2);
(role === 'server' ? serve : connect)(...rest);
