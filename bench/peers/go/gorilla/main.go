// gorilla/websocket: `gorilla PORT BYTES RATE SECONDS`; a prepared message, written to each connection in a row.
package main

import (
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"

	"uproar/peers/pace"
)

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}

type room struct {
	sync.Mutex
	viewers map[*websocket.Conn]struct{}
}

func (room *room) watch(answer http.ResponseWriter, request *http.Request) {
	viewer, err := upgrader.Upgrade(answer, request, nil)
	if err != nil {
		return
	}
	room.Lock()
	room.viewers[viewer] = struct{}{}
	room.Unlock()
	for err == nil {
		_, _, err = viewer.ReadMessage()
	}
	room.Lock()
	delete(room.viewers, viewer)
	room.Unlock()
	viewer.Close()
}

func (room *room) broadcast(text []byte) {
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		panic(err)
	}
	room.Lock()
	defer room.Unlock()
	for viewer := range room.viewers {
		viewer.WritePreparedMessage(message) // who cannot be written to is noticed by its reader
	}
}

func main() {
	wish := pace.Asked(os.Args[1:])
	room := &room{viewers: map[*websocket.Conn]struct{}{}}
	go func() { panic(http.ListenAndServe("127.0.0.1:"+wish.Port, http.HandlerFunc(room.watch))) }()
	pace.Publish(wish, room.broadcast)
}
