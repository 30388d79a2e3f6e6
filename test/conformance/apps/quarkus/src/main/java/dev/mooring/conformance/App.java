package dev.mooring.conformance;

import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.inject.Inject;
import java.lang.reflect.Field;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;

/** Starts as any Quarkus application with a Kafka channel does, and prints what its producer was really configured with. */
@QuarkusMain
public class App implements QuarkusApplication {
    @Inject
    @Channel("orders")
    Emitter<String> orders;

    @Inject KafkaClientService clients;

    @Override
    public int run(String... args) throws Exception {
        print(clients.getProducer("orders").unwrap());
        return 0;
    }

    /** Kafka's own parsed configuration is private to the producer. */
    private static void print(Producer<?, ?> producer) throws Exception {
        Field field = producer.getClass().getDeclaredField("producerConfig");
        field.setAccessible(true);
        ((ProducerConfig) field.get(producer)).values().forEach((name, value) -> System.out.println("effective " + name + "=" + value));
    }
}
