import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes numbered records with KafkaProducer at its defaults, and a ledger of what it was told.
 *
 * <p>Ledger BOOTSTRAP TOPIC PARTITIONS PRODUCER RATE LEDGER; it ends with its standard input.
 */
public final class Ledger {
    private static long acked;
    private static long failed;

    private Ledger() {}

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int partitions = Integer.parseInt(args[2]);
        double rate = Double.parseDouble(args[4]);
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        boolean[] over = {false};
        Thread end =
            new Thread(
                () -> {
                    try {
                        while (System.in.read() >= 0) {}
                    } catch (IOException gone) {
                        // then it is over too
                    }
                    synchronized (over) {
                        over[0] = true;
                        over.notifyAll();
                    }
                });
        end.setDaemon(true);
        end.start();
        try (BufferedWriter ledger = Files.newBufferedWriter(Path.of(args[5]));
                KafkaProducer<byte[], byte[]> producer =
                    new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            long begin = System.nanoTime();
            long said = 0;
            long written = 0;
            long[] numbers = new long[partitions];
            while (true) {
                for (int p = 0; p < partitions; p++) {
                    for (int i = 0; i < 20; i++) {
                        send(producer, ledger, topic, args[3], p, numbers[p]++);
                        written++;
                    }
                }
                double ahead = written / rate - (System.nanoTime() - begin) / 1e9;
                if (ahead < -1) {
                    begin -= (long) (ahead * 1e9); // what was missed while the brokers were away is not made up for in a burst
                }
                synchronized (over) {
                    if (ahead > 0 && !over[0]) {
                        over.wait(Math.max(1, (long) (ahead * 1000)));
                    }
                    if (over[0]) {
                        break;
                    }
                }
                if (System.nanoTime() - said > 500_000_000L) {
                    said = System.nanoTime();
                    say(ledger);
                }
            }
            producer.flush();
            say(ledger);
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, BufferedWriter ledger, String topic, String me, int partition, long number) {
        StringBuilder value = new StringBuilder(100).append(me).append(' ').append(partition).append(' ').append(number).append(' ');
        while (value.length() < 100) {
            value.append('.');
        }
        producer.send(
            new ProducerRecord<>(topic, partition, null, value.toString().getBytes(StandardCharsets.US_ASCII)),
            (metadata, error) -> {
                synchronized (ledger) {
                    try {
                        ledger.write((error == null ? "A " : "F ") + partition + " " + number + "\n");
                        if (error != null) {
                            ledger.write("# " + error + "\n");
                            failed++;
                        } else {
                            acked++;
                        }
                    } catch (IOException full) {
                        throw new IllegalStateException(full);
                    }
                }
            });
    }

    private static void say(BufferedWriter ledger) throws IOException {
        synchronized (ledger) {
            ledger.flush();
            System.out.println(acked + " " + failed);
            System.out.flush();
        }
    }
}
