// rsocket-go 0.8.13, either end. A request is "<verb>:<argument>", as in behaviour.js.
//
//	server TRANSPORT                                    listens and prints its port
//	client TRANSPORT PORT CREDENTIALS INTERVAL LIFETIME connects; times in milliseconds
//
// TRANSPORT is tcp or ws. Only what this library can do is here: it sends no CANCEL for a request that waits, and its
// resumption repeats nothing.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/logger"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx/mono"
)

const whole = 0 // its answers in fragments are complete with the first, so that by the protocol the rest is ignored

var (
	ever    = context.Background()
	speaker sync.Mutex
)

func say(words ...any) {
	speaker.Lock()
	defer speaker.Unlock()
	fmt.Println(strings.ReplaceAll(strings.TrimSuffix(fmt.Sprintln(words...), "\n"), "\n", " "))
}

func main() {
	logger.SetLevel(logger.LevelError)
	play := map[string]func([]string) error{"server": serve, "client": connect}[os.Args[1]]
	if err := play(os.Args[2:]); err != nil {
		say("CLOSED", err)
		os.Exit(1)
	}
	<-ever.Done()
}

func serve(rest []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listen := func(context.Context) (net.Listener, error) { return listener, nil }
	var served transport.ServerTransport
	if rest[0] == "ws" {
		served = transport.NewWebsocketServerTransport(listen, "/", nil)
	} else {
		served = transport.NewTCPServerTransport(listen)
	}
	server := rsocket.Receive().Fragment(whole).OnStart(func() {
		say("READY", listener.Addr().(*net.TCPAddr).Port)
	})
	made := func(context.Context) (transport.ServerTransport, error) { return served, nil }
	return server.Acceptor(accept).Transport(made).Serve(ever)
}

func accept(_ context.Context, setup payload.SetupPayload, peer rsocket.CloseableRSocket) (rsocket.RSocket, error) {
	if setup.DataUTF8() == "wrong" {
		return nil, errors.New("no such key")
	}
	return behaviour(peer), nil
}

func connect(rest []string) error {
	interval, err := time.ParseDuration(rest[3] + "ms")
	if err != nil {
		return err
	}
	lifetime, err := time.ParseDuration(rest[4] + "ms")
	if err != nil {
		return err
	}
	dialer := rsocket.TCPClient().SetAddr("127.0.0.1:" + rest[1]).Build()
	if rest[0] == "ws" {
		dialer = rsocket.WebsocketClient().SetURL("ws://127.0.0.1:" + rest[1] + "/").Build()
	}
	_, err = rsocket.Connect().
		Fragment(whole).
		KeepAlive(interval, lifetime, 1).
		DataMimeType("application/octet-stream").
		MetadataMimeType("application/json").
		SetupPayload(payload.New([]byte(rest[2]), []byte(`{"agent":"test"}`))).
		Acceptor(func(_ context.Context, peer rsocket.RSocket) rsocket.RSocket {
			return behaviour(peer.(rsocket.CloseableRSocket))
		}).
		Transport(dialer).
		Start(ever)
	if err == nil {
		say("READY", 0)
	}
	return err
}

// What a request has this peer do, on one connection.
type conduct struct {
	peer     rsocket.CloseableRSocket
	canceled atomic.Int64
}

func behaviour(peer rsocket.CloseableRSocket) rsocket.RSocket {
	peer.OnClose(func(err error) {
		if err == nil {
			say("CLOSED")
		} else {
			say("CLOSED", err)
		}
	})
	own := &conduct{peer: peer}
	verbs := map[string]func([]byte) ([]byte, error){
		"echo":     func(body []byte) ([]byte, error) { return body, nil },
		"fail":     func(body []byte) ([]byte, error) { return nil, errors.New(string(body)) },
		"canceled": func([]byte) ([]byte, error) { return number(own.canceled.Load()), nil },
		"ask":      own.ask,
		"many":     own.many,
		"leave":    own.leave,
	}
	return rsocket.NewAbstractSocket(rsocket.RequestResponse(func(request payload.Payload) mono.Mono {
		verb, body, _ := bytes.Cut(bytes.Clone(request.Data()), []byte(":"))
		if string(verb) == "never" {
			never := mono.Create(func(context.Context, mono.Sink) {})
			return never.DoOnCancel(func() { own.canceled.Add(1) })
		}
		act := verbs[string(verb)]
		return mono.Create(func(_ context.Context, sink mono.Sink) {
			go func() { // whoever waits here would keep the next request waiting
				if answer, err := act(body); err != nil {
					sink.Error(err)
				} else {
					sink.Success(payload.New(answer, nil))
				}
			}()
		})
	}))
}

func (own *conduct) asked(body []byte) ([]byte, error) {
	answer, err := own.peer.RequestResponse(payload.New(body, nil)).Block(ever)
	if err != nil {
		return nil, err
	}
	return answer.Data(), nil
}

func (own *conduct) ask(body []byte) ([]byte, error) {
	answer, err := own.asked(body)
	if err != nil {
		return []byte("failed: " + err.Error()), nil
	}
	return answer, nil
}

func (own *conduct) many(body []byte) ([]byte, error) {
	count, err := strconv.Atoi(string(body))
	if err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	var wrong atomic.Int64
	for i := range count {
		all.Add(1)
		go func() {
			defer all.Done()
			item := fmt.Appendf(nil, "item %d", i)
			if answer, err := own.asked(item); err != nil || !bytes.Equal(answer, item) {
				wrong.Add(1)
			}
		}()
	}
	all.Wait()
	if wrong.Load() > 0 {
		return []byte("mixed up"), nil
	}
	return []byte("each its own"), nil
}

func (own *conduct) leave([]byte) ([]byte, error) {
	time.AfterFunc(50*time.Millisecond, func() { _ = own.peer.Close() }) // the answer is to get out before
	return []byte("bye"), nil
}

func number(value int64) []byte {
	return strconv.AppendInt(nil, value, 10)
}
