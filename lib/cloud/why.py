"""Refused connections in the platform's terms. Loaded when one has been refused, by the node or the portal.

Sources: CONNACK return codes [MQTT-3.2.2.3]; Aliyun help.aliyun.com 148610 and 256394; OneNET device access protocol 4;
for the others what can be wrong with the identity that the platform checks.
"""


def explain(platform: str, code: int, host: str = "", expires: bool = False) -> str:
    """Why CONNACK `code` (1 to 5) came, or (0) why there is no such host, in one sentence. `platform`: cloud.platform;
    `host`: the broker's; `expires`: the password is a token with an end, so the clock counts."""
    if code == 0:
        names = {"aliyun": "ProductKey, region and instance", "tencent": "ProductId and region", "azure": "the hub"}
        if platform in names:
            return "there is no such host: check %s, and the way to the internet" % names[platform]
        return "there is no such host, or no way to a name server"
    if code == 1:
        return "the broker does not speak MQTT 3.1.1"
    if code == 3:
        return "the broker is not available; trying again"
    clock = ", or the clock is wrong" if expires else ""
    if platform == "aliyun":
        if code == 2:
            return "Aliyun finds the client id malformed: check DeviceName"
        if code == 4:
            return "Aliyun finds user name or password malformed: check ProductKey and DeviceName"
        if code == 5:
            return "Aliyun: wrong signature: check DeviceSecret, instance and region: " + host
    if code == 2 and platform in ("tencent", "onenet", "azure"):
        return "the platform refuses the client id: check product and device name"
    if code in (2, 5) and platform == "aws":
        return "AWS: the certificate is not active, or its policy does not allow this client id"
    if code in (2, 4, 5) and platform == "thingspeak":
        return "ThingSpeak does not know this MQTT device: check client id, user name and password"
    if code in (4, 5):
        if platform == "tencent":
            return "Tencent rejects the signature: wrong device key, product, device or region" + clock
        if platform == "onenet":
            return "OneNET rejects the token: wrong access key (or auth info), product id or device name" + clock
        if platform == "azure":
            return "Azure rejects the signature: wrong device key, hub or device id" + clock
        if platform == "thingsboard":
            return "ThingsBoard does not know this access token"
        if platform == "adafruitio":
            return "Adafruit IO does not know this user name with this key"
    if code == 2:
        return "client id refused"
    if code == 4:
        return "wrong user name or password"
    if code == 5:
        return "not authorised: wrong user name or password, or no right to connect"
    return "refused with code %d" % code
