package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// cluster is the broker under test and the clients opened against it. Names carry the run.
type cluster struct {
	nameServers primitive.NamesrvAddr
	http        string
	run         string
	clients     int
	closers     []func()
}

type handler func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

var everything = consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}

func newCluster(arguments map[string]string) *cluster {
	nameServers := primitive.NamesrvAddr{arguments["namesrv"]}
	return &cluster{nameServers: nameServers, http: arguments["http"], run: arguments["run"]}
}

func (c *cluster) name(purpose string) string {
	return "interop_go_" + purpose + "_" + c.run
}

// topic creates a topic of this run over HTTP; without HTTP the first send makes it.
func (c *cluster) topic(purpose string, queues int) string {
	topic := c.name(purpose)
	c.put("/v1/topics/"+topic, fmt.Sprintf(`{"queues":%d}`, queues))
	return topic
}

// group names a consumer group of this run, and creates it where groups are created over HTTP.
func (c *cluster) group(purpose string) string {
	group := c.name(purpose)
	c.put("/v1/groups/"+group, "{}")
	return group
}

func (c *cluster) put(path, json string) {
	if c.http == "" {
		return
	}
	request, err := http.NewRequest(http.MethodPut, c.http+path, strings.NewReader(json))
	must("make a request", err)
	request.Header.Set("content-type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must("PUT "+path, err)
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		panic(fmt.Sprintf("PUT %s was answered %s", path, response.Status))
	}
}

// instance names a client of its own: clients of one name share a connection and an id.
func (c *cluster) instance() string {
	c.clients++
	return fmt.Sprintf("%s-%d", c.run, c.clients)
}

// producer starts a producer that never retries: an error is to be seen.
func (c *cluster) producer(purpose string, options ...producer.Option) rocketmq.Producer {
	made, err := rocketmq.NewProducer(append([]producer.Option{
		producer.WithGroupName(c.name(purpose) + "_producer"),
		producer.WithNameServer(c.nameServers),
		producer.WithInstanceName(c.instance()),
		producer.WithRetry(0),
	}, options...)...)
	must("make a producer", err)
	must("start a producer", made.Start())
	c.closers = append(c.closers, func() { must("shut a producer down", made.Shutdown()) })
	return made
}

// consumer starts a push consumer that reads from the first message.
func (c *cluster) consumer(
	group, topic string,
	selector consumer.MessageSelector,
	handle handler,
	options ...consumer.Option,
) rocketmq.PushConsumer {
	made, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithGroupName(group),
		consumer.WithNameServer(c.nameServers),
		consumer.WithInstance(c.instance()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, options...)...)
	must("make a consumer", err)
	must("subscribe", made.Subscribe(topic, selector, handle))
	must("start a consumer", made.Start())
	c.closers = append(c.closers, func() { _ = made.Shutdown() })
	return made
}

// keep is a handler that puts everything into a box.
func keep(box *inbox) handler {
	return func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		box.put(messages...)
		return consumer.ConsumeSuccess, nil
	}
}

// send sends texts with a tag, one by one, and answers them as a box would show them.
func (c *cluster) send(by rocketmq.Producer, topic, tag, prefix string, count int) string {
	sent := map[string]bool{}
	for i := 0; i < count; i++ {
		text := fmt.Sprintf("%s %d", prefix, i)
		message := primitive.NewMessage(topic, []byte(text)).WithTag(tag)
		result, err := by.SendSync(context.Background(), message)
		must("send", err)
		if result.Status != primitive.SendOK {
			panic("a send was answered " + result.String())
		}
		sent[text] = true
	}
	return sortedKeys(sent)
}

func (c *cluster) close() {
	for i := len(c.closers) - 1; i >= 0; i-- {
		c.closers[i]()
	}
}
