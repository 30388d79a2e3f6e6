package franz_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
	"mooring.dev/mooring/internal/kafka/wirereq"
)

func poll(t *testing.T, a *franz.Admin) franz.Changes {
	t.Helper()
	changes, err := a.Poll(t.Context())
	if err != nil {
		t.Fatalf("poll: %v", err)
	}
	return changes
}

// metadata answers the Metadata requests of t with a topic of one partition, as partition says.
func metadata(c *kafkatest.Cluster, partition func() kmsg.MetadataResponseTopicPartition) {
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.MetadataResponse)
		resp.ClusterID, resp.ControllerID = new("kfake-one"), 0
		for i, port := range []int32{19091, 19092, 19093} {
			resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: int32(i), Host: "localhost", Port: port})
		}
		p := partition()
		resp.Topics = []kmsg.MetadataResponseTopic{{Topic: new("t"), TopicID: [16]byte{1}, Partitions: []kmsg.MetadataResponseTopicPartition{p}}}
		return resp, nil, true
	})
}

// A rolling restart moves every leader; what a reconcile acts on is another matter.
func TestAPollIgnoresLeaderMoves(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		p := kmsg.MetadataResponseTopicPartition{Leader: 0, Replicas: []int32{0, 1, 2}, ISR: []int32{0, 1, 2}}
		metadata(c, func() kmsg.MetadataResponseTopicPartition { return p })
		if _, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); err != nil {
			t.Fatal(err)
		}
		poll(t, a)
		steps := []struct {
			what   string
			leader int32
			isr    []int32
			found  bool
		}{
			{"another leader", 1, []int32{0, 1, 2}, false},
			{"another order of the ISR", 2, []int32{2, 0, 1}, false},
			{"a replica falls behind", 2, []int32{2, 0}, true},
			{"still behind", 0, []int32{0, 2}, false},
			{"the replica is back", 0, []int32{0, 1, 2}, true},
			{"no leader", -1, []int32{0, 1, 2}, true},
			{"a leader again", 1, []int32{0, 1, 2}, true},
		}
		for _, s := range steps {
			p.Leader, p.ISR = s.leader, s.isr
			if changes := poll(t, a); (len(changes.Topics) > 0) != s.found {
				t.Errorf("%s: the poll found %v", s.what, changes.Topics)
			}
			// Quiet or not, the view has the truth.
			o, err := a.Observe(t.Context(), "t", keys, kafka.Cached())
			if err != nil || o.Partitions[0].Leader != s.leader {
				t.Errorf("%s: a cached look shows %+v, %v", s.what, o, err)
			}
		}
	})
}

func TestAPollSeesBrokersComeAndGo(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		poll(t, a)
		versions := 0
		c.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			versions++
			return nil, nil, false
		})
		if changes := poll(t, a); changes.Brokers || changes.Info {
			t.Errorf("nothing happened: %+v", changes)
		}
		if versions != 0 || a.Info().KafkaVersion == "" {
			t.Errorf("the version is %q, and was asked for %d times more", a.Info().KafkaVersion, versions)
		}
		fenced := true
		c.ControlKey(int16(kmsg.DescribeCluster), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			if !r.(*kmsg.DescribeClusterRequest).IncludeFencedBrokers {
				t.Error("the fenced brokers were not asked for")
			}
			resp := r.ResponseKind().(*kmsg.DescribeClusterResponse)
			resp.Brokers = []kmsg.DescribeClusterResponseBroker{
				{NodeID: 1, Host: "localhost", Port: 19092},
				{NodeID: -5, Host: "away", Port: 9, Rack: new("r"), IsFenced: fenced},
			}
			return resp, nil, true
		})
		if changes := poll(t, a); !changes.Brokers || !changes.Info {
			t.Errorf("a fenced broker came: %+v", changes)
		}
		if versions == 0 || a.Info().KafkaVersion == "" {
			t.Errorf("another broker may run another version: asked %d times, %q", versions, a.Info().KafkaVersion)
		}
		info := a.Info()
		if len(info.Brokers) != 4 || info.Cluster().Live() != 3 {
			t.Fatalf("%+v", info)
		}
		if b := info.Brokers[0]; b.ID != -5 || !b.Fenced || b.Host != "away" || b.Rack != "r" {
			t.Errorf("%+v", b)
		}
		fenced = false // registered, serving, and not in Metadata yet: the next look has it
		if changes := poll(t, a); !changes.Brokers || len(a.Info().Brokers) != 3 {
			t.Errorf("%+v, %+v", changes, a.Info())
		}
	})
}

func TestAPollWithoutDescribeCluster(t *testing.T) {
	refused := map[string]func(c *kafkatest.Cluster){
		"refused": func(c *kafkatest.Cluster) {
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeCluster}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: -1})
		},
		"unknown to an old cluster": func(*kafkatest.Cluster) {},
	}
	for name, prepare := range refused {
		t.Run(name, func(t *testing.T) {
			var opts []kfake.Opt
			if name != "refused" {
				opts = append(opts, kfake.MaxVersions(kversion.V2_7_0())) // DescribeCluster came with 2.8
			}
			on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
				prepare(c)
				poll(t, a)
				if got := len(a.Info().Brokers); got != 3 {
					t.Errorf("%d brokers; the live ones are known without it", got)
				}
			}, opts...)
		})
	}
}

func TestAPollCountsTopics(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		poll(t, a)
		for name, config := range map[string]map[string]string{"a": nil, "b": nil, "__internal": {"kfake.is_internal": "true"}} {
			if err := c.CreateTopic(name, 1, config); err != nil {
				t.Fatal(err)
			}
		}
		if changes := poll(t, a); !changes.Info || changes.Brokers || len(changes.Topics) > 0 {
			t.Errorf("the number of topics is news, and nobody observes one: %+v", changes)
		}
		if got := a.Info().Topics; got != 2 {
			t.Errorf("%d topics, want 2: Kafka's own do not count", got)
		}
	})
}

// A poll names only the keys that somebody wants, and a thousand topics at a time.
func TestAPollAsksForWhatIsObserved(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		all := names("t", 1500)
		for _, name := range append(all, "unobserved") {
			if err := c.CreateTopic(name, 1, nil); err != nil {
				t.Fatal(err)
			}
		}
		together(all, func(name string) error {
			_, err := a.Observe(t.Context(), name, keys, kafka.Cached())
			return err
		})
		if _, err := a.Observe(t.Context(), "absent", keys, kafka.Cached()); err != nil {
			t.Fatal(err)
		}
		sent.Take()
		asked := make(map[string]bool)
		c.ControlKey(int16(kmsg.DescribeConfigs), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			for _, resource := range r.(*kmsg.DescribeConfigsRequest).Resources {
				asked[resource.ResourceName] = true
				if !slices.Equal(resource.ConfigNames, keys) {
					t.Errorf("%s: asked for %v", resource.ResourceName, resource.ConfigNames)
				}
			}
			return nil, nil, false
		})
		poll(t, a)
		if got := sent.Take(); got["DescribeConfigs"] != 2 || kafkatest.Total(got) != 5 {
			t.Errorf("1,500 topics: %v", got)
		}
		if len(asked) != 1500 || asked["unobserved"] || asked["absent"] {
			t.Errorf("%d topics were asked for", len(asked))
		}
		if err := c.CreateTopic("absent", 1, nil); err != nil {
			t.Fatal(err)
		}
		if changes := poll(t, a); !slices.Equal(changes.Topics, []string{"absent"}) {
			t.Errorf("an observed topic came to be, and the poll found %v", changes.Topics)
		}
	})
}

// A copy of ten thousand topics in the client, beside the view, would be for nobody.
func TestAPollLeavesNoTopicsInTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.Start(t)
		sent := new(kafkatest.Requests)
		client, err := franz.NewClient(c.Settings(), append(c.Options(), kgo.WithHooks(sent))...)
		if err != nil {
			t.Fatal(err)
		}
		a := franz.New(client, nil)
		defer a.Close()
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		poll(t, a)
		sent.Take()
		if _, err := client.RequestCachedMetadata(t.Context(), wirereq.Metadata([]string{"t"}), time.Hour); err != nil {
			t.Fatal(err)
		}
		if sent.Take()["Metadata"] == 0 {
			t.Error("the client knew the topic: it keeps what polls are told")
		}
	})
}

// The broker that is asked first may be the one that went. Sockets are real here: it is their errors that are retried.
func TestAPollFindsABrokerThatAnswers(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := new(kafkatest.Requests)
	client, err := franz.NewClient(kafka.Settings{BootstrapServers: c.ListenAddrs()}, kgo.WithHooks(sent))
	if err != nil {
		t.Fatal(err)
	}
	a := franz.New(client, nil)
	defer a.Close()
	poll(t, a)
	// kfake gives a controller that went no successor, which is another matter.
	if err := c.RemoveNode((a.Info().ControllerID + 1) % 3); err != nil {
		t.Fatal(err)
	}
	for range 10 { // which one is asked first is chance
		poll(t, a)
	}
	if got := len(a.Info().Brokers); got != 2 {
		t.Errorf("%d brokers are known, want the 2 that are left", got)
	}
	sent.Take()
	poll(t, a)
	if got := sent.Take(); got["Metadata"] != 1 {
		t.Errorf("the client still knows of a broker that went: %v", got)
	}
}
