// Kafka Streams: windows of ten seconds a grid, as its developer guide builds them. Arguments: bootstrap, topic in,
// topic out, state folder, "memory" or "default" (the store, RocksDB).

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.TimestampExtractor;

public final class WindowsOfGrids {
  public static final class Reading {
    public String grid;
    public double value;
    public long observed_at_ms;
  }

  public static final class Sums {
    long readings;
    double occupied;
    double least = Double.POSITIVE_INFINITY;

    Sums add(Reading reading) {
      readings++;
      occupied += reading.value;
      least = Math.min(least, reading.value);
      return this;
    }
  }

  private static final ObjectReader READER =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false).readerFor(Reading.class);

  private static Reading decoded(String topic, byte[] data) {
    try {
      return READER.readValue(data);
    } catch (java.io.IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
  }

  private static byte[] packed(String topic, Sums sums) {
    return ByteBuffer.allocate(24).putLong(sums.readings).putDouble(sums.occupied).putDouble(sums.least).array();
  }

  private static Sums unpacked(String topic, byte[] data) {
    ByteBuffer buffer = ByteBuffer.wrap(data);
    Sums sums = new Sums();
    sums.readings = buffer.getLong();
    sums.occupied = buffer.getDouble();
    sums.least = buffer.getDouble();
    return sums;
  }

  private static <T> Serde<T> serde(Serializer<T> serializer, Deserializer<T> deserializer) {
    return Serdes.serdeFrom(serializer, deserializer);
  }

  public static void main(String[] given) throws InterruptedException {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "peer-" + System.currentTimeMillis());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given[0]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, given[3]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    settings.put(StreamsConfig.consumerPrefix("isolation.level"), "read_committed");
    // It says at most once a second by default which windows are over; a replay would wait for the clock.
    settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
    if (given[4].equals("memory")) {
      settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
          org.apache.kafka.streams.state.BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    }
    TimestampExtractor observed =
        (ConsumerRecord<Object, Object> record, long newest) -> ((Reading) record.value()).observed_at_ms;
    Serde<Reading> readings =
        serde((topic, reading) -> { throw new UnsupportedOperationException(); }, WindowsOfGrids::decoded);
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(given[1], Consumed.with(Serdes.String(), readings).withTimestampExtractor(observed))
        .groupByKey(Grouped.with(Serdes.String(), readings))
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5)))
        .emitStrategy(EmitStrategy.onWindowClose())
        .aggregate(Sums::new, (grid, reading, sums) -> sums.add(reading),
            Materialized.<String, Sums, org.apache.kafka.streams.state.WindowStore<org.apache.kafka.common.utils.Bytes, byte[]>>
                as("windows").withKeySerde(Serdes.String())
                .withValueSerde(serde(WindowsOfGrids::packed, WindowsOfGrids::unpacked)).withLoggingDisabled())
        .toStream((window, sums) -> window.key() + "@" + window.window().start())
        .mapValues((window, sums) -> {
          int at = window.indexOf('@');
          return "{\"grid\":\"" + window.substring(0, at) + "\",\"start_ms\":" + window.substring(at + 1)
              + ",\"readings\":" + sums.readings + ",\"occupied\":" + sums.occupied
              + ",\"mean\":" + sums.occupied / sums.readings + ",\"least\":" + sums.least + "}";
        })
        .to(given[2], Produced.with(Serdes.String(), Serdes.String()));
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> { streams.close(Duration.ofSeconds(10)); ended.countDown(); }));
    streams.start();
    ended.await();
  }
}
