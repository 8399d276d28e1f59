package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// sends: sync, async, one-way, batch, compressed, by key; everything is read back as it was.
func sends(c *cluster) {
	topic := c.topic("sent", 4)
	hashing := producer.WithQueueSelector(producer.NewHashQueueSelector())
	by := c.producer("sent", hashing)
	background := context.Background()
	wanted := map[string]bool{}
	text := func(text string) *primitive.Message {
		wanted[text] = true
		return primitive.NewMessage(topic, []byte(text)).WithTag("kinds")
	}

	ids := map[string]bool{}
	for i := 0; i < 50; i++ {
		result, err := by.SendSync(background, text(fmt.Sprintf("sync %d", i)))
		must("send", err)
		ids[result.MsgID] = result.Status == primitive.SendOK && result.OffsetMsgID != ""
	}
	holds("50 sync sends are answered SEND_OK, each with ids of its own", len(ids) == 50 && allTrue(ids))

	var waiting sync.WaitGroup
	var mutex sync.Mutex
	answered := 0
	for i := 0; i < 50; i++ {
		waiting.Add(1)
		must("send", by.SendAsync(background, func(_ context.Context, r *primitive.SendResult, err error) {
			mutex.Lock()
			defer mutex.Unlock()
			if err == nil && r.Status == primitive.SendOK {
				answered++
			}
			waiting.Done()
		}, text(fmt.Sprintf("async %d", i))))
	}
	waiting.Wait()
	holds("50 async sends are answered SEND_OK", answered == 50)

	for i := 0; i < 50; i++ {
		must("send", by.SendOneWay(background, text(fmt.Sprintf("one-way %d", i))))
	}
	batch := []*primitive.Message{}
	for i := 0; i < 50; i++ {
		batch = append(batch, text(fmt.Sprintf("batch %d", i)))
	}
	result, err := by.SendSync(background, batch...)
	must("send a batch", err)
	holds("a batch of 50 is answered SEND_OK", result.Status == primitive.SendOK)

	large := strings.Repeat("compress me ", 2_000)
	_, err = by.SendSync(background, text(large))
	must("send a large body", err)
	binary := bytes.Repeat([]byte{0, 255, 10, 13}, 300)
	rich := text(string(binary)).WithKeys([]string{"key-a", "key-b"})
	rich.WithProperty("colour", "grün, 绿")
	_, err = by.SendSync(background, rich)
	must("send properties", err)

	queues := map[int]bool{}
	for i := 0; i < 8; i++ {
		keyed := text(fmt.Sprintf("keyed %d", i)).WithShardingKey("one key")
		result, err := by.SendSync(background, keyed)
		must("send by key", err)
		queues[result.MessageQueue.QueueId] = true
	}
	holds("messages of one key go to one queue", len(queues) == 1)

	box := &inbox{}
	c.consumer(c.group("sent"), topic, everything, keep(box))
	expected := sortedKeys(wanted)
	eventually(15*time.Second, "all are read as they were sent",
		func() bool { return box.texts() == expected }, func() any { return box.count() })
	for _, message := range box.all() {
		if string(message.Body) != string(binary) {
			continue
		}
		holds("a property beyond ASCII", message.GetProperty("colour") == "grün, 绿")
		holds("keys", message.GetKeys() == "key-a key-b")
		holds("a tag", message.GetTags() == "kinds")
	}
}

func allTrue(set map[string]bool) bool {
	for _, isSo := range set {
		if !isSo {
			return false
		}
	}
	return true
}

// addressServer: the client is given an address server instead of name servers.
func addressServer(c *cluster) {
	topic := c.topic("looked_up", 2)
	resolver := primitive.NewHttpResolver(c.instance(), c.http+"/rocketmq/nsaddr")
	found := strings.Join(resolver.Resolve(), ";")
	holds("the address server names the name server "+found, found == c.nameServers[0])
	by := c.producer("looked_up", producer.WithNsResolver(resolver))
	c.send(by, topic, "tag", "found", 10)
	holds("a client that was given only the address server sends", true)
}
