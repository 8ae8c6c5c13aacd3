"""English labels and help of the settings: `name | label | help`, a line a field of schema.TABLE. Read by words.py."""

TEXT = """
device | Node | The board and who may change it.
device.name | Name | Shown in lists and by Home Assistant. Empty: made from the chip's number.
device.location | Location | Where the node is, sent with its information.
device.board | Board | Which D-names its pins have.
device.led | LED pin | Empty: no signals; the command identify blinks the board's own LED.
device.button | Button pin | Empty: no button. FLASH on most boards: D3.
device.web | Page on the home network | The set-up page is then also served there, with the password.
device.web_port | Port of the page | Empty: 80, which phones need to find the page by themselves.
device.password | Page password | Asked for by the page on the home network.
device.command_key | Command key | If set, commands that change something must be signed with it.
wifi | WiFi | Networks to join, and the node's own access point.
wifi.mode | Mode | auto: join a network, own access point when none can be joined. ap: own access point only.
wifi.networks | Known networks | The strongest one in range is tried first.
wifi.hostname | Host name | As the router lists the node. Empty: made from the chip's number.
wifi.country | Country | Two letters. The chip's WiFi library keeps its own rules.
wifi.tx_power | Transmit power | Lower it if a weak supply resets the node. Empty: as the chip has it.
wifi.fallback_after | Access point after | How long no network can be joined before the access point opens (mode auto).
wifi.ap_ssid | Access point name | Empty: made from the chip's number.
wifi.ap_key | Access point key | Empty: the node's own key, which its console shows.
wifi.ap_open | Open access point | Anybody near can join and change the settings.
wifi.ap_channel | Access point channel | While joined to a network its channel is used instead.
wifi.ap_address | Access point address | The node's address in its own network.
network | Network | One network that the node may join.
network.ssid | Network name | SSID, up to 32 bytes of UTF-8.
network.ssid_hex | Network name in hex | Instead of the name, for one that is not UTF-8.
network.key | Key | The WiFi password. Empty: an open network; in a change: as before.
network.hidden | Hidden | The network does not show its name: it is tried without being seen.
network.ip | Address | Fixed address. Empty: from the router (DHCP).
network.mask | Netmask | Empty: 255.255.255.0.
network.gateway | Gateway | The router's address; wanted with a fixed address.
network.dns | DNS server | Empty: the gateway.
mqtt | MQTT | The broker and how messages look.
mqtt.brokers | Brokers | Tried in this order. Empty: the cloud platform's own.
mqtt.client_id | Client identifier | Must be unique at the broker. Empty: made from the chip's number.
mqtt.user | User name |
mqtt.password | Password | Empty in a change: as before.
mqtt.keepalive | Keep alive | Longest silence before the broker takes the node for gone.
mqtt.qos | QoS of readings | 0 at most once, 1 at least once, 2 exactly once.
mqtt.base_topic | Base topic | All topics start with it. Empty: made from the node's name.
mqtt.availability | Availability | Publishes online and offline (by will), retained.
mqtt.retain | Retain readings | The broker keeps the last reading for late subscribers.
mqtt.clean_session | Clean session | Off: the broker keeps commands while the node is away.
mqtt.format | Message format | json: one message for readings that come together. topics: one topic for each value.
mqtt.discovery | Home Assistant discovery | Sensors and outputs show up in Home Assistant by themselves.
mqtt.discovery_prefix | Discovery prefix | As set in Home Assistant.
broker | Broker | One MQTT broker.
broker.host | Host | Name or address.
broker.port | Port | Empty: 1883, with TLS 8883.
broker.tls | TLS | Encrypted, but the ESP8266 cannot check who the broker is.
cloud | Cloud | The platform, and the values its console shows for the device.
cloud.platform | Platform | plain: any MQTT broker.
cloud.edition | Edition | hub: Tencent IoT Hub. legacy: the old OneNET. Empty: today's edition.
cloud.product | Product | ProductKey, product id, name of the IoT hub or channel id.
cloud.device | Device | DeviceName, device id, thing name or feed group.
cloud.secret | Secret | Device secret, device key, access token or AIO key.
cloud.region | Region | As in the platform's host names, such as cn-shanghai or us-east. Empty: the platform's first.
cloud.instance | Instance | Instance id of an Aliyun enterprise or new public instance.
cloud.method | Signature | Empty: the platform's usual one.
cloud.expiry | Token lifetime | Empty: as long as the platform allows; a short one needs the clock.
cloud.fields | Fields | Names of the readings for field1, field2 and so on, with commas between.
cloud.tls | TLS | Encrypted, but the ESP8266 cannot check who the platform is.
sensors | Sensors | What is measured. A driver's own keys are in docs/sensors.md.
sensor | Sensor | One sensor. Further keys belong to its driver and its filters.
sensor.type | Type | For example dht22, ds18b20 or bme280.
sensor.name | Name | Empty: the type.
sensor.pin | Pin | D-name or GPIO number.
sensor.period | Period | Time between two readings. Empty: the period of telemetry.
outputs | Outputs | Relays and the like, switched by commands.
output | Output | One output.
output.name | Name | As in commands and topics.
output.pin | Pin | D-name or GPIO number.
output.inverted | Inverted | On is the low level.
output.start | At power-up |
telemetry | Telemetry | When readings are sent and what happens to them in an outage.
telemetry.period | Period | Time between two reports.
telemetry.queue_bytes | Queue | Memory for readings that wait for the network.
telemetry.drop | When full | Which readings are given up.
telemetry.spill | Keep on flash | Readings that wait are also stored on flash, in batches.
telemetry.health | Own health | Signal strength, free memory, uptime and restarts are reported too.
power | Power | For nodes on a battery.
power.deep_sleep | Deep sleep | Wake, read, send, sleep. GPIO16 (D0) must be wired to RST.
power.period | Wake every |
power.listen_every | Listen every | After so many wakes the node waits for commands. 0: never.
power.awake_max | Awake at most | The node goes back to sleep then, sent or not.
time | Time |
time.ntp_host | Time server | Where the time comes from (NTP).
log | Log | What the node tells.
log.level | On the serial console |
log.mqtt | By MQTT |
"""
