// The Go client against a broker, one program a run: what it verified a line each, and OK or FAILED.
//
//	interop --program GoSends --namesrv 127.0.0.1:9876 --http http://127.0.0.1:8080 --run r1
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// program is one run: what it proves, and how long that may take.
type program struct {
	deadline time.Duration
	run      func(*cluster)
}

var programs = map[string]program{
	"GoSends":        {60 * time.Second, sends},
	"GoShared":       {90 * time.Second, shared},
	"GoBroadcast":    {60 * time.Second, broadcast},
	"GoOrderly":      {180 * time.Second, orderly},
	"GoSql92":        {60 * time.Second, sql92},
	"GoRetryToDlq":   {90 * time.Second, retryToDlq},
	"GoPull":         {60 * time.Second, pull},
	"GoLookup":       {60 * time.Second, addressServer},
	"GoDelays":       {60 * time.Second, delays},
	"GoTransactions": {120 * time.Second, transactions},
}

func main() {
	arguments := readArguments(os.Args[1:])
	name := arguments["program"]
	chosen, known := programs[name]
	if !known {
		fmt.Printf("FAILED: there is no program %q\n", name)
		os.Exit(1)
	}
	time.AfterFunc(chosen.deadline, func() {
		fmt.Printf("FAILED %s: not finished within %s\n", name, chosen.deadline)
		os.Exit(2)
	})
	rlog.SetLogger(notes{})
	fmt.Printf("%s: rocketmq-client-go 2.1.2, name server %s\n", name, arguments["namesrv"])
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Printf("FAILED %s: %v\n", name, failure)
			os.Exit(1)
		}
		fmt.Printf("OK %s\n", name)
		os.Exit(0)
	}()
	c := newCluster(arguments)
	defer c.close()
	chosen.run(c)
}

func readArguments(words []string) map[string]string {
	arguments := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		arguments[words[i][2:]] = words[i+1]
	}
	return arguments
}

// notes prints what the client complains of, and nothing else.
type notes struct{}

func note(level, msg string, fields map[string]interface{}) {
	fmt.Printf("  note: %s: %s %v\n", level, msg, fields)
}

func (notes) Debug(string, map[string]interface{})              {}
func (notes) Info(string, map[string]interface{})               {}
func (notes) Warning(msg string, fields map[string]interface{}) { note("warning", msg, fields) }
func (notes) Error(msg string, fields map[string]interface{})   { note("error", msg, fields) }
func (notes) Fatal(msg string, fields map[string]interface{})   { note("fatal", msg, fields) }
func (notes) Level(string)                                      {}
func (notes) OutputPath(string) error                           { return nil }
