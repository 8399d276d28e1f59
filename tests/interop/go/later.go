package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// delays: a message of a delay level is visible after that time, and never before.
func delays(c *cluster) {
	topic := c.topic("delayed", 2)
	box := &inbox{}
	c.consumer(c.group("delayed"), topic, everything, keep(box))
	by := c.producer("delayed")
	for level, seconds := range map[int]int{1: 1, 2: 5} {
		message := primitive.NewMessage(topic, []byte(fmt.Sprint(seconds))).WithDelayTimeLevel(level)
		_, err := by.SendSync(context.Background(), message)
		must("send", err)
	}
	eventually(20*time.Second, "both come",
		func() bool { return box.count() == 2 }, func() any { return box.count() })
	for _, message := range box.all() {
		var seconds int64
		_, err := fmt.Sscan(string(message.Body), &seconds)
		must("read a body", err)
		late := message.StoreTimestamp - message.BornTimestamp - seconds*1000
		holds(fmt.Sprintf("%d s: stored %d ms after its time", seconds, late), late >= 0 && late < 1_500)
	}
}

// listener decides by the body: commit, rollback, or unknown, and then as it is asked.
type listener struct {
	mutex sync.Mutex
	asked map[string]int
}

func (l *listener) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	switch string(message.Body) {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func (l *listener) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.asked[string(message.Body)]++
	if string(message.Body) == "asked, rollback" {
		return primitive.RollbackMessageState
	}
	return primitive.CommitMessageState
}

func (l *listener) times(body string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.asked[body]
}

// transactions: committed, rolled back, and asked about when left undecided.
func transactions(c *cluster) {
	topic := c.topic("transactions", 2)
	decider := &listener{asked: map[string]int{}}
	by, err := rocketmq.NewTransactionProducer(decider,
		producer.WithGroupName(c.name("transactions")+"_producer"),
		producer.WithNameServer(c.nameServers),
		producer.WithInstanceName(c.instance()),
	)
	must("make a producer", err)
	must("start it", by.Start())
	box := &inbox{}
	c.consumer(c.group("transactions"), topic, everything, keep(box))
	for _, body := range []string{"commit", "rollback", "asked, commit", "asked, rollback"} {
		result, err := by.SendMessageInTransaction(context.Background(), primitive.NewMessage(topic, []byte(body)))
		must("send", err)
		holds(body+": the half is answered SEND_OK", result.Status == primitive.SendOK)
	}
	eventually(10*time.Second, "the committed one is visible",
		func() bool { return box.texts() == "commit" }, func() any { return box.texts() })
	eventually(100*time.Second, "both undecided ones are asked about",
		func() bool { return decider.times("asked, commit") > 0 && decider.times("asked, rollback") > 0 },
		func() any { return decider.asked })
	eventually(10*time.Second, "what was committed when asked is visible, what was rolled back is not",
		func() bool { return box.texts() == "asked, commit\ncommit" }, func() any { return box.texts() })
	must("shut down", by.Shutdown())
}
