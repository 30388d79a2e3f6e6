package dev.mooring.conformance;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;

/** Starts as any Spring Boot application does, and prints what its producer was really configured with. */
@SpringBootApplication
public class App {
    public static void main(String[] args) throws Exception {
        int status = 1;
        try (ConfigurableApplicationContext context = SpringApplication.run(App.class, args)) {
            DefaultKafkaProducerFactory<?, ?> factory = context.getBean(DefaultKafkaProducerFactory.class);
            List<Producer<?, ?>> made = new ArrayList<>();
            factory.addPostProcessor(
                producer -> {
                    made.add(producer);
                    return producer;
                });
            factory.createNonTransactionalProducer().close();
            print(made.get(0));
            status = 0;
        }
        System.exit(status);
    }

    /** Kafka's own parsed configuration is private to the producer. */
    private static void print(Producer<?, ?> producer) throws Exception {
        Field field = producer.getClass().getDeclaredField("producerConfig");
        field.setAccessible(true);
        ((ProducerConfig) field.get(producer)).values().forEach((name, value) -> System.out.println("effective " + name + "=" + value));
    }
}
