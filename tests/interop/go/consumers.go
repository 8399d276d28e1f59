package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// handOverLimit is how soon a queue has a new reader when members come and go.
const handOverLimit = 5 * time.Second

// shared: a group shares a topic, members come and go, tags are filtered, nothing is missed.
func shared(c *cluster) {
	topic := c.topic("shared", 8)
	group := c.group("shared")
	by := c.producer("shared")
	wanted := c.send(by, topic, "A", "early", 100)
	c.send(by, topic, "C", "not mine", 50)
	tags := consumer.MessageSelector{Type: consumer.TAG, Expression: "A || B"}
	first, second := &inbox{}, &inbox{}
	c.consumer(group, topic, tags, keep(first))
	eventually(15*time.Second, "messages older than the group arrive",
		func() bool { return first.texts() == wanted }, func() any { return first.count() })

	leaving := c.consumer(group, topic, tags, keep(second))
	round := 0
	eventually(handOverLimit, "a second member gets its share", func() bool {
		round++
		wanted = join(wanted, c.send(by, topic, "B", fmt.Sprintf("both %d", round), 16))
		time.Sleep(300 * time.Millisecond)
		return second.count() > 0
	}, func() any { return second.count() })
	eventually(15*time.Second, "both together get everything with tag A or B",
		func() bool { return union(first, second) == wanted },
		func() any { return fmt.Sprint(first.count(), " + ", second.count()) })
	must("leave", leaving.Shutdown())
	wanted = join(wanted, c.send(by, topic, "A", "late", 80))
	eventually(handOverLimit, "the one that stays gets what comes after the other left",
		func() bool { return union(first, second) == wanted },
		func() any { return fmt.Sprint(first.count(), " + ", second.count()) })
}

func join(first, second string) string {
	set := map[string]bool{}
	for _, text := range strings.Split(first+"\n"+second, "\n") {
		set[text] = true
	}
	return sortedKeys(set)
}

// broadcast: every member gets every message once.
func broadcast(c *cluster) {
	topic := c.topic("broadcast", 4)
	group := c.group("broadcast")
	boxes := []*inbox{{}, {}}
	for _, box := range boxes {
		c.consumer(group, topic, everything, keep(box), consumer.WithConsumerModel(consumer.BroadCasting))
	}
	wanted := c.send(c.producer("broadcast"), topic, "wide", "to all", 60)
	for i, box := range boxes {
		eventually(15*time.Second, fmt.Sprintf("member %d gets every message", i+1),
			func() bool { return box.texts() == wanted }, func() any { return box.count() })
		holds("and each once", box.count() == 60)
	}
}

// orderly: messages of a key come in order, whoever reads.
func orderly(c *cluster) {
	topic := c.topic("orderly", 4)
	group := c.group("orderly")
	by := c.producer("orderly", producer.WithQueueSelector(producer.NewHashQueueSelector()))
	const keys, each = 8, 25
	book := &orderBook{next: map[string]int{}}
	for range 2 {
		c.consumer(group, topic, everything, book.take, consumer.WithConsumerOrder(true))
	}
	for i := 0; i < each; i++ {
		for key := 0; key < keys; key++ {
			message := primitive.NewMessage(topic, []byte(fmt.Sprintf("%d", i)))
			message.WithShardingKey(fmt.Sprintf("key-%d", key))
			_, err := by.SendSync(context.Background(), message)
			must("send", err)
		}
	}
	eventually(150*time.Second, fmt.Sprintf("%d messages are consumed, one put off among them", keys*each),
		func() bool { return book.done() == keys*each }, func() any { return book.done() })
	holds("in the order of each key, whoever reads", book.fault == "")
	holds("a message that was put off came again before the next of its queue", book.putOff == 2)
}

// orderBook holds consumers to the order of each key.
type orderBook struct {
	mutex  sync.Mutex
	next   map[string]int
	putOff int
	fault  string
}

func (b *orderBook) done() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	sum := 0
	for _, next := range b.next {
		sum += next
	}
	return sum
}

func (b *orderBook) take(
	_ context.Context, messages ...*primitive.MessageExt,
) (consumer.ConsumeResult, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, message := range messages {
		key := message.GetShardingKey()
		if string(message.Body) == "3" && key == "key-3" {
			if b.putOff++; b.putOff == 1 {
				return consumer.SuspendCurrentQueueAMoment, nil
			}
		}
		if got := string(message.Body); got != fmt.Sprint(b.next[key]) {
			b.fault = fmt.Sprintf("%s: %s came where %d was due", key, got, b.next[key])
			fmt.Println("  note:", b.fault)
		}
		b.next[key]++
	}
	return consumer.ConsumeSuccess, nil
}

// sql92: the broker filters by an expression over properties.
func sql92(c *cluster) {
	topic := c.topic("sql", 4)
	by := c.producer("sql")
	wanted := map[string]bool{}
	for i := 0; i < 40; i++ {
		text := fmt.Sprintf("message %d", i)
		message := primitive.NewMessage(topic, []byte(text)).WithTag("T")
		message.WithProperty("size", fmt.Sprint(i))
		message.WithProperty("colour", []string{"red", "green"}[i%2])
		_, err := by.SendSync(context.Background(), message)
		must("send", err)
		if i > 10 && i%2 == 1 {
			wanted[text] = true
		}
	}
	box := &inbox{}
	sql := consumer.MessageSelector{Type: consumer.SQL92, Expression: "size > 10 AND colour = 'green'"}
	c.consumer(c.group("sql"), topic, sql, keep(box))
	expected := sortedKeys(wanted)
	eventually(20*time.Second, "exactly what the expression lets through arrives",
		func() bool { return box.texts() == expected }, func() any { return box.count() })
	holds("and nothing else", box.count() == len(wanted))
}

// retryToDlq: a refused message comes again, counted, and is a dead letter in the end.
func retryToDlq(c *cluster) {
	topic := c.topic("retried", 2)
	group := c.group("retried")
	tries := &inbox{}
	refuse := func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		tries.put(messages...)
		if concurrent, isThere := primitive.GetConcurrentlyCtx(ctx); isThere {
			concurrent.DelayLevelWhenNextConsume = 1
		}
		return consumer.ConsumeRetryLater, nil
	}
	c.consumer(group, topic, everything, refuse, consumer.WithMaxReconsumeTimes(2))
	by := c.producer("retried")
	result, err := by.SendSync(context.Background(), primitive.NewMessage(topic, []byte("refuse me")))
	must("send", err)
	eventually(40*time.Second, "a refused message comes three times",
		func() bool { return tries.count() == 3 }, func() any { return tries.count() })
	for i, message := range tries.all() {
		holds(fmt.Sprintf("counted: %d", i), int(message.ReconsumeTimes) == i)
		holds("with its own topic and body", message.Topic == topic && string(message.Body) == "refuse me")
		holds("and its id", message.GetProperty(primitive.PropertyUniqueClientMessageIdKeyIndex) == result.MsgID)
	}
	dead := &inbox{}
	c.consumer(c.group("dead"), "%DLQ%"+group, everything, keep(dead))
	eventually(30*time.Second, "then it is one dead letter",
		func() bool { return dead.count() == 1 }, func() any { return dead.count() })
	holds("with its body", string(dead.all()[0].Body) == "refuse me")
}

// pull: poll and acknowledge; a successor goes on where the first ended.
func pull(c *cluster) {
	topic := c.topic("pulled", 2)
	group := c.group("pulled")
	by := c.producer("pulled")
	wanted := c.send(by, topic, "tag", "first", 40)
	box := &inbox{}
	first := c.pullConsumer(group, topic)
	eventually(30*time.Second, "poll() gives everything", func() bool {
		poll(first, box)
		return box.texts() == wanted
	}, func() any { return box.count() })
	must("shut down", first.Shutdown())

	rest := c.send(by, topic, "tag", "second", 20)
	later := &inbox{}
	second := c.pullConsumer(group, topic)
	eventually(30*time.Second, "a successor gets what came since", func() bool {
		poll(second, later)
		return later.texts() == rest
	}, func() any { return later.texts() })
	must("shut down", second.Shutdown())
}

func (c *cluster) pullConsumer(group, topic string) rocketmq.PullConsumer {
	made, err := rocketmq.NewPullConsumer(
		consumer.WithGroupName(group),
		consumer.WithNameServer(c.nameServers),
		consumer.WithInstance(c.instance()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	must("make a pull consumer", err)
	must("subscribe", made.Subscribe(topic, everything))
	must("start a pull consumer", made.Start())
	return made
}

func poll(by rocketmq.PullConsumer, box *inbox) {
	request, err := by.Poll(context.Background(), time.Second)
	if consumer.IsNoNewMsgError(err) {
		return
	}
	must("poll", err)
	box.put(request.GetMsgList()...)
	by.ACK(context.Background(), request, consumer.ConsumeSuccess)
}
