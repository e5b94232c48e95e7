// Package pace is what every peer written in Go does: wait until it may begin, publish at a steady pace, say when done.
package pace

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const tail = `"}]}`

// Wish is the command line of every peer: PORT BYTES RATE SECONDS.
type Wish struct {
	Port          string
	size          int
	rate, seconds float64
}

// Asked reads the command line's four words.
func Asked(words []string) Wish {
	return Wish{words[0], int(number(words[1])), number(words[2]), number(words[3])}
}

func number(word string) float64 {
	value, err := strconv.ParseFloat(word, 64)
	if err != nil {
		panic(err)
	}
	return value
}

// Publish begins at a line on the standard input and tells its end by `done`; the input's end ends the peer.
func Publish(wish Wish, send func([]byte)) {
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadString('\n'); err != nil {
		return
	}
	began := time.Now()
	for number := 1; number <= int(wish.rate*wish.seconds); number++ {
		send(stamped(number, wish.size))
		time.Sleep(time.Until(began.Add(time.Duration(float64(number) / wish.rate * float64(time.Second)))))
	}
	fmt.Println("done")
	io.Copy(io.Discard, input)
}

func stamped(number, size int) []byte {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err)
	}
	head := fmt.Appendf(nil, `{"type":"batch","position":"peer.%010d","comments":[{"text":"t=%d;`, number, now.Nano())
	filling := bytes.Repeat([]byte{'x'}, size-len(tail)-len(head))
	return append(append(head, filling...), tail...)
}
