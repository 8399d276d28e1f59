package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// holds prints a claim that is so, and ends the program with one that is not.
func holds(claim string, isSo bool) {
	if !isSo {
		panic("does not hold: " + claim)
	}
	fmt.Printf("  holds: %s\n", claim)
}

// must ends the program with an error that nobody expected.
func must(doing string, err error) {
	if err != nil {
		panic(fmt.Sprintf("%s: %v", doing, err))
	}
}

// eventually waits for a claim to become so.
func eventually(limit time.Duration, claim string, isSo func() bool, seen func() any) {
	started := time.Now()
	for !isSo() {
		if time.Since(started) > limit {
			panic(fmt.Sprintf("did not hold within %s: %s (last seen: %v)", limit, claim, seen()))
		}
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Printf("  holds: %s (after %d ms)\n", claim, time.Since(started).Milliseconds())
}

// inbox gathers what a consumer was given, in its order.
type inbox struct {
	mutex    sync.Mutex
	messages []*primitive.MessageExt
}

func (i *inbox) put(messages ...*primitive.MessageExt) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.messages = append(i.messages, messages...)
}

func (i *inbox) all() []*primitive.MessageExt {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return append([]*primitive.MessageExt(nil), i.messages...)
}

func (i *inbox) count() int {
	return len(i.all())
}

// texts is what came, each body once, in alphabetical order.
func (i *inbox) texts() string {
	return union(i)
}

func union(boxes ...*inbox) string {
	found := map[string]bool{}
	for _, box := range boxes {
		for _, message := range box.all() {
			found[string(message.Body)] = true
		}
	}
	return sortedKeys(found)
}

func sortedKeys(set map[string]bool) string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return strings.Join(keys, "\n")
}
