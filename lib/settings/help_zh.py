"""Chinese labels and help of the settings: `name | label | help`, a line a field of schema.TABLE. Read by words.py."""

TEXT = """
device | 节点 | 开发板以及谁可以更改设置。
device.name | 名称 | 显示在列表和 Home Assistant 中。留空:由芯片编号生成。
device.location | 位置 | 节点所在位置,随设备信息一起发送。
device.board | 开发板 | 决定引脚的 D 编号。
device.led | LED 引脚 | 留空:不指示状态;identify 命令使用板载 LED。
device.button | 按键引脚 | 留空:不使用按键。多数开发板的 FLASH 键为 D3。
device.web | 在家庭网络中提供页面 | 开启后在家庭网络中也可打开设置页面,需要密码。
device.web_port | 页面端口 | 留空为 80；手机只有在 80 端口才能自动打开页面。
device.password | 页面密码 | 在家庭网络中打开页面时需要输入。
device.command_key | 命令密钥 | 设置后,有改动作用的命令必须用它签名。
wifi | WiFi | 要加入的网络,以及节点自己的热点。
wifi.mode | 模式 | auto:加入网络,无法加入时开启热点。ap:仅热点。
wifi.networks | 已知网络 | 先尝试信号最强的网络。
wifi.hostname | 主机名 | 路由器中显示的名称。留空:由芯片编号生成。
wifi.country | 国家 | 两个字母。芯片的 WiFi 库使用自己的规则。
wifi.tx_power | 发射功率 | 供电较弱导致重启时可调低。留空:芯片默认值。
wifi.fallback_after | 热点开启延时 | 多久无法加入网络后开启热点(auto 模式)。
wifi.ap_ssid | 热点名称 | 留空:由芯片编号生成。
wifi.ap_key | 热点密码 | 留空:节点自己的密码,串口控制台会显示。
wifi.ap_open | 开放热点 | 附近任何人都可以加入并更改设置。
wifi.ap_channel | 热点信道 | 已加入网络时使用该网络的信道。
wifi.ap_address | 热点地址 | 节点在自己网络中的地址。
network | 网络 | 节点可以加入的一个网络。
network.ssid | 网络名称 | SSID,最多 32 字节 UTF-8。
network.ssid_hex | 网络名称(十六进制) | 名称不是 UTF-8 时代替名称使用。
network.key | 密码 | WiFi 密码。留空:开放网络;修改时留空:保持不变。
network.hidden | 隐藏网络 | 网络不广播名称,直接尝试连接。
network.ip | 地址 | 固定地址。留空:由路由器分配(DHCP)。
network.mask | 子网掩码 | 留空:255.255.255.0。
network.gateway | 网关 | 路由器地址;使用固定地址时必填。
network.dns | DNS 服务器 | 留空:使用网关。
mqtt | MQTT | 代理服务器和消息格式。
mqtt.brokers | 代理服务器 | 按此顺序尝试。留空:使用云平台的地址。
mqtt.client_id | 客户端标识 | 在代理服务器上必须唯一。留空:由芯片编号生成。
mqtt.user | 用户名 |
mqtt.password | 密码 | 修改时留空:保持不变。
mqtt.keepalive | 保活时间 | 超过此时间没有消息,代理服务器认为节点离线。
mqtt.qos | 读数的 QoS | 0 最多一次,1 至少一次,2 恰好一次。
mqtt.base_topic | 基础主题 | 所有主题以它开头。留空:由节点名称生成。
mqtt.availability | 在线状态 | 发布 online 和 offline(遗嘱),保留消息。
mqtt.retain | 保留读数 | 代理服务器为后来的订阅者保留最后的读数。
mqtt.clean_session | 清除会话 | 关闭:节点离线时代理服务器保存命令。
mqtt.format | 消息格式 | json:同时的读数一条消息。topics:每个值一个主题。
mqtt.discovery | Home Assistant 自动发现 | 传感器和输出自动出现在 Home Assistant 中。
mqtt.discovery_prefix | 发现前缀 | 与 Home Assistant 中的设置一致。
broker | 代理服务器 | 一个 MQTT 代理服务器。
broker.host | 主机 | 名称或地址。
broker.port | 端口 | 留空:1883,使用 TLS 时 8883。
broker.tls | TLS | 加密传输,但 ESP8266 无法验证代理服务器的身份。
cloud | 云平台 | 平台以及其控制台显示的设备信息。
cloud.platform | 平台 | plain:任意 MQTT 代理服务器。
cloud.edition | 版本 | hub:腾讯云 IoT Hub。legacy:旧版 OneNET。留空:当前版本。
cloud.product | 产品 | ProductKey、产品 ID、IoT hub 名称或频道 ID。
cloud.device | 设备 | DeviceName、设备 ID、物品名称或 feed 组。
cloud.secret | 密钥 | 设备密钥、访问令牌或 AIO key。
cloud.region | 地域 | 与平台主机名一致,例如 cn-shanghai 或 us-east。留空:平台默认地域。
cloud.instance | 实例 | 阿里云企业版或新版公共实例的实例 ID。
cloud.method | 签名方法 | 留空:平台常用方法。
cloud.expiry | 令牌有效期 | 留空:平台允许的最长时间;较短时需要时钟。
cloud.fields | 字段 | field1、field2 等对应的读数名称,用逗号分隔。
cloud.tls | TLS | 加密传输,但 ESP8266 无法验证平台的身份。
sensors | 传感器 | 测量什么。驱动自己的键见 docs/sensors.md。
sensor | 传感器 | 一个传感器。其他键属于其驱动和滤波器。
sensor.type | 类型 | 例如 dht22、ds18b20 或 bme280。
sensor.name | 名称 | 留空:使用类型名。
sensor.pin | 引脚 | D 编号或 GPIO 编号。
sensor.period | 周期 | 两次读数之间的时间。留空:使用遥测周期。
outputs | 输出 | 继电器等,由命令控制。
output | 输出 | 一个输出。
output.name | 名称 | 用于命令和主题。
output.pin | 引脚 | D 编号或 GPIO 编号。
output.inverted | 反相 | 低电平为开。
output.start | 上电状态 |
telemetry | 遥测 | 何时发送读数,断网时如何处理。
telemetry.period | 周期 | 两次上报之间的时间。
telemetry.queue_bytes | 队列 | 等待网络的读数所用的内存。
telemetry.drop | 队列满时 | 放弃哪些读数。
telemetry.spill | 保存到闪存 | 等待的读数也分批保存到闪存。
telemetry.health | 自身状态 | 同时上报信号强度、空闲内存、运行时间和重启次数。
power | 电源 | 用于电池供电的节点。
power.deep_sleep | 深度睡眠 | 唤醒、读取、发送、睡眠。GPIO16 (D0) 必须连接 RST。
power.period | 唤醒周期 |
power.listen_every | 监听间隔 | 每唤醒这么多次后等待命令。0:从不。
power.awake_max | 最长唤醒时间 | 到时无论是否发送完都会继续睡眠。
time | 时间 |
time.ntp_host | 时间服务器 | 时间来源(NTP)。
log | 日志 | 节点输出的信息。
log.level | 串口日志级别 |
log.mqtt | MQTT 日志级别 |
"""
