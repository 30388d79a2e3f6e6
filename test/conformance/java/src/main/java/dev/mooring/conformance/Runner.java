package dev.mooring.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Says what the real Java client does with producer configurations.
 *
 * <p>Without an argument it reads one JSON object of settings a line from standard input, starts a real KafkaProducer with
 * it and closes it, and prints one JSON object: outcome (accepted, refused or idempotence-off) and message. With the
 * argument {@code properties} it prints ProducerConfig's definitions instead. With {@code produce TOPIC} it reads one
 * line of settings and writes one record.
 */
public final class Runner {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Runner() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        if (args.length > 0 && args[0].equals("properties")) {
            printProperties(out);
        } else if (args.length > 1 && args[0].equals("produce")) {
            produce(out, settings(in.readLine()), args[1]);
        } else {
            judgeAll(in, out);
        }
        out.flush();
        System.exit(0); // threads of producers that failed half-way must not keep the process alive
    }

    /** Judges several lines at once, because a producer mostly waits while it closes, and prints in the order of the lines. */
    private static void judgeAll(BufferedReader in, PrintStream out) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        ArrayDeque<Future<Map<String, String>>> waiting = new ArrayDeque<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> settings = settings(line);
            waiting.add(pool.submit(() -> judge(settings)));
            if (waiting.size() >= 64) {
                print(out, waiting.remove());
            }
        }
        while (!waiting.isEmpty()) {
            print(out, waiting.remove());
        }
    }

    private static void print(PrintStream out, Future<Map<String, String>> verdict) throws Exception {
        out.println(JSON.writeValueAsString(verdict.get()));
        out.flush();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> settings(String line) throws Exception {
        return JSON.readValue(line, Map.class);
    }

    private static Map<String, String> judge(Map<String, Object> settings) {
        Map<String, String> verdict = new LinkedHashMap<>();
        try {
            KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(new HashMap<>(settings), new ByteArraySerializer(), new ByteArraySerializer());
            close(producer);
            boolean on = withSerializers(settings).getBoolean(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG);
            boolean asked = settings.containsKey(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG);
            verdict.put("outcome", on || asked ? "accepted" : "idempotence-off");
        } catch (Throwable refused) {
            verdict.put("outcome", "refused");
            verdict.put("message", message(refused));
        }
        return verdict;
    }

    /**
     * Closes a producer without waiting for ever: close() joins the sender's thread, which may just be sleeping for
     * retry.backoff.ms, and configurations here have weeks of that.
     */
    private static void close(KafkaProducer<?, ?> producer) throws InterruptedException {
        Thread closer = new Thread(() -> producer.close(Duration.ZERO));
        closer.setDaemon(true);
        closer.start();
        closer.join(1000);
    }

    private static ProducerConfig withSerializers(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        return new ProducerConfig(all);
    }

    private static String message(Throwable t) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = t; cause != null && text.length() < 2000; cause = cause.getCause()) {
            text.append(text.length() == 0 ? "" : "; ").append(cause.getMessage());
        }
        return text.toString();
    }

    private static void printProperties(PrintStream out) throws Exception {
        for (ConfigDef.ConfigKey key : new TreeMap<>(ProducerConfig.configDef().configKeys()).values()) {
            Map<String, String> row = new LinkedHashMap<>();
            row.put("name", key.name);
            row.put("type", key.type.name().toLowerCase());
            row.put("default", !key.hasDefault() ? "<required>" : key.defaultValue == null ? "<null>" : ConfigDef.convertToString(key.defaultValue, key.type));
            row.put("valid", String.valueOf(key.validator));
            out.println(JSON.writeValueAsString(row));
        }
    }

    private static void produce(PrintStream out, Map<String, Object> settings, String topic) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            boolean transactional = settings.containsKey(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
            if (transactional) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            RecordMetadata written =
                producer.send(new ProducerRecord<>(topic, "key".getBytes(StandardCharsets.UTF_8), "java".getBytes(StandardCharsets.UTF_8))).get();
            if (transactional) {
                producer.commitTransaction();
            }
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("partition", written.partition());
            row.put("offset", written.offset());
            out.println(JSON.writeValueAsString(row));
        }
    }
}
