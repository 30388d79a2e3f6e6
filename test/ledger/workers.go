package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
)

// worker is one producer: a client at its defaults that numbers its records by partition and keeps a ledger of what it was
// told. It ends with its standard input.
type worker struct {
	bootstrap  []string
	topic      string
	partitions int
	me         string
	rate       float64

	mu            sync.Mutex
	ledger        *bufio.Writer
	acked, failed int
	over          chan struct{}
	numbers       []int
}

// The clients in Go, which are this program in another role.
var goClients = map[string]func(*worker) error{"kafka-go": (*worker).kafkaGo, "sarama": (*worker).sarama}

// work is the inside of a worker: CLIENT BOOTSTRAP TOPIC PARTITIONS PRODUCER RATE LEDGER.
func work(args []string) error {
	if len(args) != 7 || goClients[args[0]] == nil {
		return fmt.Errorf("worker: %q", args)
	}
	partitions, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(args[5], 64)
	if err != nil {
		return err
	}
	file, err := os.Create(args[6])
	if err != nil {
		return err
	}
	defer file.Close()
	w := &worker{
		bootstrap: strings.Split(args[1], ","), topic: args[2], partitions: partitions, me: args[4], rate: rate,
		ledger: bufio.NewWriter(file), over: make(chan struct{}), numbers: make([]int, partitions),
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // it is over either way
		close(w.over)
	}()
	beat := time.NewTicker(500 * time.Millisecond)
	defer beat.Stop()
	go func() {
		for range beat.C {
			w.say()
		}
	}()
	err = goClients[args[0]](w)
	w.say()
	return err
}

func (w *worker) say() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.Flush() //nolint:errcheck // a ledger that is too short fails the run
	fmt.Println(w.acked, w.failed)
}

// told enters in the ledger what the client said of a record.
func (w *worker) told(partition, number int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.acked++
		fmt.Fprintf(w.ledger, "A %d %d\n", partition, number)
		return
	}
	w.failed++
	fmt.Fprintf(w.ledger, "F %d %d\n# %s\n", partition, number, strings.ReplaceAll(err.Error(), "\n", " "))
}

// repeated enters that a record which is about to be told was sent more than once, the first time then.
func (w *worker) repeated(partition, number int, first time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.ledger, "R %d %d %d %d\n", partition, number, first.UnixMilli(), time.Now().UnixMilli())
}

// value of the next record of a partition.
func (w *worker) value(partition int) (number int, value []byte) {
	number = w.numbers[partition]
	w.numbers[partition]++
	value = fmt.Appendf(make([]byte, 0, 100), "%s %d %d ", w.me, partition, number)
	for len(value) < 100 {
		value = append(value, '.')
	}
	return number, value
}

// pace calls for records at the rate, until it is over. What was missed while the brokers were away is not made up for in a
// burst.
func (w *worker) pace(each int, next func(partition int) error) error {
	begin, written := time.Now(), 0
	for {
		for p := range w.partitions {
			if err := next(p); err != nil {
				return err
			}
			written += each
		}
		ahead := time.Duration(float64(written)/w.rate*1e9) - time.Since(begin)
		if ahead < -time.Second {
			begin = begin.Add(-ahead)
		}
		select {
		case <-w.over:
			return nil
		case <-time.After(max(0, ahead)):
		}
	}
}

// kafkaGo is a kafka.Writer with nothing set but where to: RequiredAcks is RequireNone then. It writes a hundred records at a
// time, which is its BatchSize, so that it need not wait for its BatchTimeout.
func (w *worker) kafkaGo() error {
	index := func(m kafka.Message, partitions ...int) int { return m.WriterData.([2]int)[0] }
	writer := &kafka.Writer{Addr: kafka.TCP(w.bootstrap...), Topic: w.topic, Balancer: kafka.BalancerFunc(index)}
	const batch = 100
	err := w.pace(batch, func(p int) error {
		messages := make([]kafka.Message, batch)
		for i := range messages {
			number, value := w.value(p)
			messages[i] = kafka.Message{Value: value, WriterData: [2]int{p, number}}
		}
		err := writer.WriteMessages(context.Background(), messages...)
		each, ok := err.(kafka.WriteErrors)
		for i, m := range messages {
			at := err
			if ok {
				at = each[i]
			}
			w.told(p, m.WriterData.([2]int)[1], at)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writer.Close()
}

// sarama is an AsyncProducer with NewConfig, which is acks=1 without idempotence, told only to report what it did and to take
// the partition that it is given.
func (w *worker) sarama() error {
	config := sarama.NewConfig()
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	var producer sarama.AsyncProducer
	var err error
	for try := 0; try < 10; try++ { // its own three tries are over before a broker that was just killed is missed
		if producer, err = sarama.NewAsyncProducer(w.bootstrap, config); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		for m := range producer.Successes() {
			at := m.Metadata.([2]int)
			w.told(at[0], at[1], nil)
		}
	})
	readers.Go(func() {
		for e := range producer.Errors() {
			m := e.Msg.Metadata.([2]int)
			w.told(m[0], m[1], e.Err)
		}
	})
	err = w.pace(20, func(p int) error {
		for range 20 {
			number, value := w.value(p)
			producer.Input() <- &sarama.ProducerMessage{Topic: w.topic, Partition: int32(p), Value: sarama.ByteEncoder(value), Metadata: [2]int{p, number}}
		}
		return nil
	})
	producer.AsyncClose()
	readers.Wait()
	return err
}
