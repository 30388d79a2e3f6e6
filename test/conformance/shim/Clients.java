import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The Java clients: Clients BOOTSTRAP TOPIC RECORDS [HOW]. It does admin calls, produces, consumes in a group, and prints one
 * line of JSON. HOW is defaults, weak (acks=1 without idempotence) or transactions.
 */
public final class Clients {
    private Clients() {}

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int records = Integer.parseInt(args[2]);
        String how = args[3];
        Map<String, Object> common = new HashMap<>();
        common.put("bootstrap.servers", args[0]);
        common.put("client.id", "java-" + how);
        String version = admin(common, topic);
        int produced = produce(common, topic, records, how);
        int consumed = consume(common, topic, produced);
        System.out.println("{\"admin\": \"" + version + "\", \"produced\": " + produced + ", \"consumed\": " + consumed + "}");
        System.out.flush();
        System.exit(0);
    }

    private static String admin(Map<String, Object> common, String topic) throws Exception {
        try (Admin admin = Admin.create(common)) {
            int nodes = admin.describeCluster().nodes().get().size();
            String other = topic + "-admin";
            admin.createTopics(List.of(new NewTopic(other, 1, (short) 3))).all().get();
            admin.createPartitions(Map.of(other, NewPartitions.increaseTo(2))).all().get();
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, other);
            int configs = describe(admin, resource);
            int groups = admin.listGroups().all().get().size();
            int quorum = admin.describeMetadataQuorum().quorumInfo().get().voters().size();
            admin.deleteTopics(List.of(other)).all().get();
            return nodes + " nodes, " + quorum + " voters, topic created, enlarged and deleted, " + (configs > 0 ? "configs, " : "") + (groups >= 0 ? "groups" : "");
        }
    }

    /** The brokers learn of a topic one by one, and any of them is asked. */
    private static int describe(Admin admin, ConfigResource resource) throws Exception {
        long end = System.currentTimeMillis() + 20_000;
        while (true) {
            try {
                return admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().size();
            } catch (ExecutionException failed) {
                if (!(failed.getCause() instanceof UnknownTopicOrPartitionException) || System.currentTimeMillis() > end) {
                    throw failed;
                }
            }
        }
    }

    private static int produce(Map<String, Object> common, String topic, int records, String how) throws Exception {
        Map<String, Object> settings = new HashMap<>(common);
        switch (how) {
            case "weak" -> {
                settings.put("acks", "1");
                settings.put("enable.idempotence", "false");
            }
            case "transactions" -> settings.put("transactional.id", topic);
            default -> {}
        }
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            if (how.equals("transactions")) {
                producer.initTransactions();
                producer.beginTransaction();
                send(producer, topic, "aborted", 10);
                producer.abortTransaction();
                producer.beginTransaction();
            }
            send(producer, topic, "record", records);
            if (how.equals("transactions")) {
                producer.commitTransaction();
            }
        }
        return records;
    }

    private static void send(KafkaProducer<String, String> producer, String topic, String text, int records) throws Exception {
        for (int i = 0; i < records; i++) {
            producer.send(
                new ProducerRecord<>(topic, "key-" + i, text + "-" + i),
                (metadata, error) -> {
                    if (error != null) {
                        System.err.println(error);
                        System.exit(1);
                    }
                });
        }
        producer.flush();
    }

    private static int consume(Map<String, Object> common, String topic, int records) {
        Map<String, Object> settings = new HashMap<>(common);
        settings.put("group.id", topic);
        settings.put("auto.offset.reset", "earliest");
        settings.put("isolation.level", "read_committed");
        int consumed = 0;
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            long end = System.currentTimeMillis() + 60_000;
            while (consumed < records && System.currentTimeMillis() < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    consumed += record.value().startsWith("record") ? 1 : 1_000_000;
                }
            }
            consumer.commitSync();
        }
        return consumed;
    }
}
