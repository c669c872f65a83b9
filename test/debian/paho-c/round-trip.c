/*
 * Speaks to a broker through Paho C (MQTTClient) and tells what it saw, one line each.
 *
 *   round-trip URL VERSION CLIENTID TOPIC publish|subscribe|receive COUNT
 *
 * publish    sends COUNT messages at each QoS
 * subscribe  makes a lasting session with a subscription at QoS 2, and leaves
 * receive    comes back to that session and prints COUNT messages as "qos payload"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTClient.h>

enum { WAIT_MS = 10000, SESSION_SECONDS = 3600 };

static void must(int rc, const char *what) {
    if (rc != MQTTCLIENT_SUCCESS) {
        fprintf(stderr, "%s: %d\n", what, rc);
        exit(1);
    }
}

static int session_present(MQTTClient client, int version) {
    if (version == 5) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        MQTTProperties properties = MQTTProperties_initializer;
        MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
        expiry.value.integer4 = SESSION_SECONDS;
        MQTTProperties_add(&properties, &expiry);
        options.cleanstart = 0;
        MQTTResponse response = MQTTClient_connect5(client, &options, &properties, NULL);
        must(response.reasonCode, "connect");
        int present = options.returned.sessionPresent;
        MQTTResponse_free(response);
        MQTTProperties_free(&properties);
        return present;
    }
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.MQTTVersion = version == 3 ? MQTTVERSION_3_1 : MQTTVERSION_3_1_1;
    options.cleansession = 0;
    must(MQTTClient_connect(client, &options), "connect");
    return options.returned.sessionPresent;
}

static void leave(MQTTClient client, int version) {
    if (version == 5)
        must(MQTTClient_disconnect5(client, WAIT_MS, MQTTREASONCODE_SUCCESS, NULL), "disconnect");
    else
        must(MQTTClient_disconnect(client, WAIT_MS), "disconnect");
}

static void publish(MQTTClient client, int version, const char *topic, int count) {
    for (int qos = 0; qos <= 2; qos++) {
        for (int i = 0; i < count; i++) {
            char text[32];
            int length = snprintf(text, sizeof text, "%d", i);
            MQTTClient_deliveryToken token;
            if (version == 5) {
                MQTTResponse response =
                    MQTTClient_publish5(client, topic, length, text, qos, 0, NULL, &token);
                must(response.reasonCode, "publish");
                MQTTResponse_free(response);
            } else {
                must(MQTTClient_publish(client, topic, length, text, qos, 0, &token), "publish");
            }
            if (qos > 0) must(MQTTClient_waitForCompletion(client, token, WAIT_MS), "complete");
        }
    }
}

static void subscribe(MQTTClient client, int version, const char *topic) {
    if (version == 5) {
        MQTTResponse response = MQTTClient_subscribe5(client, topic, 2, NULL, NULL);
        if (response.reasonCode != MQTTREASONCODE_GRANTED_QOS_2) must(-1, "subscribe");
        MQTTResponse_free(response);
    } else {
        must(MQTTClient_subscribe(client, topic, 2), "subscribe");
    }
    printf("subscribed\n");
    fflush(stdout);
}

static void receive(MQTTClient client, int count) {
    while (count > 0) {
        char *topic = NULL;
        int topic_length = 0;
        MQTTClient_message *message = NULL;
        must(MQTTClient_receive(client, &topic, &topic_length, &message, WAIT_MS), "receive");
        if (message == NULL) must(-1, "nothing came");
        printf("%d %.*s\n", message->qos, message->payloadlen, (char *)message->payload);
        MQTTClient_freeMessage(&message);
        MQTTClient_free(topic);
        count--;
    }
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    int version = atoi(argv[2]), count = atoi(argv[6]);
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    create.MQTTVersion = version == 5 ? MQTTVERSION_5 : MQTTVERSION_DEFAULT;
    MQTTClient client;
    must(MQTTClient_createWithOptions(&client, argv[1], argv[3], MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                      &create),
         "create");
    printf("session present %d\n", session_present(client, version));
    fflush(stdout);
    if (strcmp(argv[5], "publish") == 0) publish(client, version, argv[4], count);
    if (strcmp(argv[5], "subscribe") == 0) subscribe(client, version, argv[4]);
    if (strcmp(argv[5], "receive") == 0) receive(client, count);
    leave(client, version);
    MQTTClient_destroy(&client);
    return 0;
}
