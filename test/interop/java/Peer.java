// rsocket-java 1.1.5, either end. A request is "<verb>:<argument>", as in behaviour.js.
//
//   server TRANSPORT                                    listens and prints its port
//   client TRANSPORT PORT CREDENTIALS INTERVAL LIFETIME connects; times in milliseconds
//
// Either role with "-resumable" behind it outlives its connections. TRANSPORT is tcp or ws.

import io.netty.buffer.Unpooled;
import io.rsocket.ConnectionSetupPayload;
import io.rsocket.Payload;
import io.rsocket.RSocket;
import io.rsocket.SocketAcceptor;
import io.rsocket.core.RSocketConnector;
import io.rsocket.core.RSocketServer;
import io.rsocket.core.Resume;
import io.rsocket.exceptions.RejectedSetupException;
import io.rsocket.resume.InMemoryResumableFramesStore;
import io.rsocket.transport.ClientTransport;
import io.rsocket.transport.ServerTransport;
import io.rsocket.transport.netty.client.TcpClientTransport;
import io.rsocket.transport.netty.client.WebsocketClientTransport;
import io.rsocket.transport.netty.server.CloseableChannel;
import io.rsocket.transport.netty.server.TcpServerTransport;
import io.rsocket.transport.netty.server.WebsocketServerTransport;
import io.rsocket.util.DefaultPayload;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

public final class Peer {
  private static final int FRAGMENT = 64 * 1024;
  private static final int KEPT = 4 * 1024 * 1024; // bytes for resuming; past that it drops the oldest
  private static final int AT_ONCE = 16;
  private static final Duration RETRY = Duration.ofMillis(20);
  private static final Duration SESSION = Duration.ofMinutes(2);

  public static void main(String[] arguments) throws InterruptedException {
    Hooks.onErrorDropped(error -> {}); // of streams that nobody waits for any more
    if (arguments[0].startsWith("server")) {
      serve(resume(arguments[0]), arguments[1]);
    } else {
      connect(resume(arguments[0]), arguments[1], List.of(arguments).subList(2, 6));
    }
    Thread.currentThread().join();
  }

  private static void serve(Resume resume, String transport) {
    RSocketServer server = RSocketServer.create(Peer::accept).fragment(FRAGMENT);
    if (resume != null) {
      server.resume(resume);
    }
    ServerTransport<CloseableChannel> listener =
        transport.equals("ws")
            ? WebsocketServerTransport.create("127.0.0.1", 0)
            : TcpServerTransport.create("127.0.0.1", 0);
    say("READY", server.bindNow(listener).address().getPort());
  }

  private static Mono<RSocket> accept(ConnectionSetupPayload setup, RSocket peer) {
    if (setup.getDataUtf8().equals("wrong")) {
      return Mono.error(new RejectedSetupException("no such key"));
    }
    watch(peer);
    return Mono.just(new Behaviour(peer));
  }

  private static void connect(Resume resume, String transport, List<String> rest) {
    String host = "127.0.0.1";
    int port = Integer.parseInt(rest.get(0));
    RSocketConnector connector =
        RSocketConnector.create()
            .setupPayload(DefaultPayload.create(rest.get(1), "{\"agent\":\"test\"}"))
            .dataMimeType("application/octet-stream")
            .metadataMimeType("application/json")
            .keepAlive(milliseconds(rest.get(2)), milliseconds(rest.get(3)))
            .fragment(FRAGMENT)
            .acceptor(acceptor());
    if (resume != null) {
      connector.resume(resume);
    }
    ClientTransport dialer =
        transport.equals("ws") ? WebsocketClientTransport.create(host, port) : TcpClientTransport.create(host, port);
    connector.connect(dialer).subscribe(socket -> say("READY", 0), error -> say("CLOSED", error));
  }

  private static SocketAcceptor acceptor() {
    return (setup, peer) -> {
      watch(peer);
      return Mono.just(new Behaviour(peer));
    };
  }

  private static Duration milliseconds(String number) {
    return Duration.ofMillis(Long.parseLong(number));
  }

  private static Resume resume(String role) {
    return role.endsWith("-resumable")
        ? new Resume()
            .sessionDuration(SESSION)
            .streamTimeout(SESSION)
            .retry(Retry.fixedDelay(Long.MAX_VALUE, RETRY))
            .cleanupStoreOnKeepAlive()
            .storeFactory(token -> new InMemoryResumableFramesStore("peer", Unpooled.copiedBuffer(token), KEPT))
        : null;
  }

  private static void watch(RSocket peer) {
    peer.onClose().subscribe(nothing -> {}, error -> say("CLOSED", error), () -> say("CLOSED"));
  }

  private static synchronized void say(Object... words) {
    StringBuilder line = new StringBuilder();
    for (Object word : words) {
      line.append(word).append(' ');
    }
    System.out.println(line.toString().strip().replace('\n', ' '));
  }

  /** What a request has this peer do, on one connection. */
  private static final class Behaviour implements RSocket {
    private final RSocket peer;
    private final AtomicInteger canceled = new AtomicInteger();
    private final Queue<Disposable> kept = new ConcurrentLinkedQueue<>();
    private final Map<String, Integer> jobs = new ConcurrentHashMap<>();
    private final Map<String, Function<byte[], Mono<byte[]>>> verbs =
        Map.ofEntries(
            Map.entry("echo", Mono::just),
            Map.entry("fail", body -> Mono.error(new IllegalStateException(text(body)))),
            Map.entry("never", body -> Mono.never()),
            Map.entry("canceled", body -> number(canceled.get())),
            Map.entry("ask", this::ask),
            Map.entry("many", body -> many(body, Integer.parseInt(text(body)))),
            Map.entry("load", body -> many(body, AT_ONCE)),
            Map.entry("job", this::job),
            Map.entry("jobs", body -> Mono.just(bytes(jobs.size() + " " + jobs.values().stream().mapToInt(n -> n).sum()))),
            Map.entry("keep", this::keep),
            Map.entry("drop", body -> drop()),
            Map.entry("leave", body -> leave()));

    Behaviour(RSocket peer) {
      this.peer = peer;
    }

    @Override
    public Mono<Payload> requestResponse(Payload request) {
      byte[] data = new byte[request.data().readableBytes()];
      request.data().getBytes(request.data().readerIndex(), data);
      int at = 0;
      while (data[at] != ':') {
        at++;
      }
      String verb = new String(data, 0, at, StandardCharsets.US_ASCII);
      return verbs
          .get(verb)
          .apply(Arrays.copyOfRange(data, at + 1, data.length))
          .map(DefaultPayload::create)
          .doOnCancel(canceled::incrementAndGet);
    }

    private Mono<byte[]> asked(byte[] body) {
      return peer.requestResponse(DefaultPayload.create(body)).map(answer -> contents(answer));
    }

    private Mono<byte[]> ask(byte[] body) {
      return asked(body).onErrorResume(error -> Mono.just(bytes("failed: " + error.getMessage())));
    }

    private Mono<byte[]> many(byte[] body, int atOnce) {
      return Flux.range(0, Integer.parseInt(text(body)))
          .flatMap(i -> asked(bytes("item " + i)).map(answer -> text(answer).equals("item " + i)), atOnce)
          .all(right -> right)
          .map(right -> bytes(right ? "each its own" : "mixed up"));
    }

    private Mono<byte[]> job(byte[] body) {
      jobs.merge(text(body), 1, Integer::sum);
      return Mono.delay(Duration.ofMillis(body.length % 7)).thenReturn(body);
    }

    private Mono<byte[]> keep(byte[] body) {
      kept.add(asked(body).subscribe(answer -> {}, error -> {}));
      return Mono.just(bytes("kept"));
    }

    private Mono<byte[]> drop() {
      for (Disposable asked = kept.poll(); asked != null; asked = kept.poll()) {
        asked.dispose();
      }
      return Mono.just(bytes("dropped"));
    }

    private Mono<byte[]> leave() {
      Mono.delay(Duration.ofMillis(50)).subscribe(zero -> peer.dispose()); // the answer is to get out before
      return Mono.just(bytes("bye"));
    }

    private static Mono<byte[]> number(int value) {
      return Mono.just(bytes(Integer.toString(value)));
    }

    private static byte[] contents(Payload payload) {
      byte[] data = new byte[payload.data().readableBytes()];
      payload.data().getBytes(payload.data().readerIndex(), data);
      payload.release();
      return data;
    }

    private static byte[] bytes(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }
}
