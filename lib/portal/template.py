"""The page as text: markup, style, script and every word of it in English and Chinese. page.py puts it together.

Blocks begin with a line "@name". Inside a block, [[English|中文]] is a word in two languages, and [[0]], [[1]], ... are
the values that page.py passes. One text constant, because a constant of an .mpy file in ROMFS is used in place: it
costs no heap, while a file would cost buffers and a table of blocks would cost objects.

Style: one narrow column, touch targets of 48 px, system fonts, dark mode as the phone has it. Platforms show only their
own fields by CSS (:has); where a browser lacks that, all fields are shown. The script only adds comfort.
"""

TEXT = """
@head
HTTP/1.1 [[0]]\r
Connection: close\r
Cache-Control: no-store\r
X-Content-Type-Options: nosniff\r
X-Frame-Options: DENY\r
Referrer-Policy: same-origin\r
@cookie
Set-Cookie: lang=[[0]]; Path=/; Max-Age=31536000; SameSite=Strict\r
@html
Content-Type: text/html; charset=utf-8\r
Content-Security-Policy: default-src 'none'; style-src 'nonce-[[1]]'; script-src 'nonce-[[1]]'; connect-src 'self'; \
img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r
\r
<!doctype html>
<html lang="[[en|zh-CN]]">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>[[0]]</title>
<link rel="icon" href="data:,">
<style nonce="[[1]]">
:root{--f:#1c2733;--m:#5a6a7a;--b:#eef2f5;--c:#fff;--l:#c9d3dc;--a:#0a6c74;--g:#1a7f4b;--r:#b3261e;
color-scheme:light dark} @media(prefers-color-scheme:dark){:root{--f:#e6edf3;--m:#9fb0c0;--b:#11181f;--c:#1b252f;
--l:#3a4855;--a:#5cc8cf;--g:#5bd08d;--r:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--f);background:var(--b)}
header,main{max-width:32rem;margin:auto;padding:12px}
header{display:flex;justify-content:space-between;align-items:center;gap:12px;padding-bottom:0}
h1{font-size:1.3rem;margin:0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 8px}
section{background:var(--c);border-radius:14px;padding:16px;margin:0 0 12px}
fieldset,legend{border:0;margin:0;padding:0;min-width:0}
p,section div{margin:0 0 12px}
a{color:var(--a)}
header a{padding:12px 4px}
label{display:block}
input,select,button,.k{font:inherit;color:inherit;width:100%;min-height:48px;padding:8px 12px;border:1px solid var(--l);
border-radius:10px;background:var(--c)}
:focus-visible{outline:3px solid var(--a);outline-offset:1px}
[type=checkbox],[type=radio]{width:22px;min-height:22px;height:22px;margin:0 10px 0 0;flex:none;accent-color:var(--a)}
.k,button{display:flex;align-items:center;justify-content:center;text-align:center;text-decoration:none;cursor:pointer}
.go{background:var(--a);border-color:var(--a);color:var(--c);font-weight:600}
.t{display:flex;align-items:center;min-height:48px}
.n{border-bottom:1px solid var(--l)}
.t bdi{flex:1;overflow-wrap:anywhere;min-width:0}
.n svg{flex:none;margin-left:8px}
.o{opacity:.25}
.z{position:absolute}
.y{display:flex;gap:8px}
.y button{width:auto;flex:none}
small,.h{color:var(--m);font-size:.875rem}
dl{display:grid;grid-template-columns:fit-content(60%) 1fr;gap:4px 16px;margin:0;overflow-wrap:anywhere}
dt{color:var(--m)}
dd{margin:0;text-align:right}
ol{list-style:none;padding:0;margin:0 0 12px}
.g{color:var(--g)}
.r{color:var(--r)}
[hidden]{display:none!important}
@css-hidden
 @supports selector(:has(a)){.p{display:none}
@css-platform
form:has([value=[[0]]]:checked) .[[0]]
@css-shown
{display:block}}
@css-end
</style>
@title
<header><h1>[[0]]</h1><a href="/?lang=[[zh|en]]" lang="[[zh|en]]">[[中文|English]]</a></header>
<main>
@refresh
<noscript><meta http-equiv="refresh" content="[[0]]"></noscript>
@poll
<script nonce="[[0]]">
setInterval(function(){var x=new XMLHttpRequest;x.open('GET','/progress');x.timeout=1900;
x.onload=function(){if(x.responseText!='[[1]]')location.replace('/'+location.search)};x.send()},2000)
</script>
@trying
<section aria-live="polite"><h2>[[Trying the new settings|正在尝试新设置]]</h2><ol>
@failed
<section role="alert"><h2 class="r">[[Not saved: it did not work|未保存:连接失败]]</h2><ol>
@done
<section role="status"><h2 class="g">[[Connected|已连接]]</h2><ol>
@step
<li class="[[0]]"><span aria-hidden="true">[[1]]</span> [[2]]: [[3]]
@trying-end
</ol><p class="h">[[Your phone may leave this WiFi for a moment. If it does, join it again; the result will be here.\
|手机可能会短暂断开此 WiFi。若断开,请重新连接,结果会显示在这里。]] <b>[[0]]</b></p></section>
@failed-end
</ol><p class="h">[[The old settings are still in use. Change what is wrong and try again.\
|仍在使用原来的设置。请修改后重试。]]</p></section>
@ending-end
</ol><p class="h">[[The old settings are still in use.|仍在使用原来的设置。]]</p>
<p><a class="k" href="/">[[Change and try again|修改后重试]]</a></p></section>
@done-end
</ol><p>[[The settings are saved. This network closes soon.|设置已保存,此网络即将关闭。]]</p></section>
@faults
<section role="alert"><h2 class="r">[[Please check|请检查]]</h2><ul>
@fault
<li>[[0]]: [[1]]
@faults-end
</ul></section>
@form
<svg class="z" width="0" height="0" aria-hidden="true">
<path id="k" d="M3 6V4a3 3 0 016 0v2h1v6H2V6zm1.5 0h3V4a1.5 1.5 0 00-3 0z"/></svg>
<form method="post" action="/save[[0]]" autocomplete="off"><input type="hidden" name="token" value="[[1]]">
<section><fieldset><legend><h2>WiFi</h2></legend>
@scanning
<p role="status">[[Looking for networks …|正在搜索网络…]]</p>
@no-networks
<p>[[No network found.|未找到网络。]]</p>
@network
<label class="t n"><input type="radio" name="network.ssid_hex" value="[[0]]"[[1]]><bdi>[[2]]</bdi>
@saved
<small>[[known|已知]]</small>
@lock
<svg width="12" height="14" role="img" aria-label="[[locked|加密]]"><use href="#k" fill="currentColor"/></svg>
@signal
<svg width="20" height="16" fill="currentColor" role="img" aria-label="[[signal|信号]] [[0]]/4"><path d="M0 12h4v4H0z"/>
<path[[1]] d="M5 8h4v8H5z"/><path[[2]] d="M10 4h4v12h-4z"/><path[[3]] d="M15 0h4v16h-4z"/></svg>
@network-end
</label>
@other
<label class="t"><input type="radio" name="network.ssid_hex" value=""[[0]]>
<bdi>[[Another or hidden network|其他或隐藏网络]]</bdi></label>
<p><input name="network.ssid" maxlength="32" value="[[1]]" aria-label="[[Network name|网络名称]]"
 placeholder="[[Network name|网络名称]]" autocapitalize="none"></p>
@rescan
<p><button name="rescan" value="1" formnovalidate>[[Search again|重新搜索]]</button></p>
@section
</fieldset></section><section><fieldset><legend><h2>[[0]]</h2></legend>
@save
</fieldset></section>
<section><button class="go">[[Save and connect|保存并连接]]</button>
<small>[[The new settings are tried first. If they fail, the old ones stay.\
|先尝试新设置,失败则保留原设置。]]</small></section></form>
@field
<div[[0]]>
@label
<label for="[[0]]">[[1]]</label>
@check
<label class="t"><input type="checkbox" name="[[0]]"[[1]]>[[2]]</label>
@input
<input id="[[0]]" name="[[0]]" type="[[1]]" value="[[2]]" [[3]] placeholder="[[4]]" autocapitalize="none">
@key-begin
<span class="y">
@key-end
<button type="button" hidden aria-pressed="false" aria-controls="[[0]]">[[Show|显示]]</button></span>
@clear
<label class="t"><input type="checkbox" name="[[0]].clear">[[Clear the saved one|清除已保存的]]</label>
@select
<select id="[[0]]" name="[[0]]">
@option
<option value="[[0]]"[[1]]>[[2]]
@select-end
</select>
@help
<small>[[1]]</small>
@field-end
</div>
@status
<section><h2>[[Status|状态]]</h2><dl>
@pair
<dt><bdi>[[0]]</bdi><dd><bdi>[[1]]</bdi>
@tools
</dl></section><section><h2>[[Tools|工具]]</h2>
<p><a class="k" href="/export">[[Export settings (without passwords)|导出设置(不含密码)]]</a></p>
<form method="post" action="/restart[[0]]"><p><button name="token" value="[[1]]">[[Restart|重启]]</button></p></form>
<details><summary class="k r">[[Factory reset|恢复出厂设置]]</summary>
<form method="post" action="/reset[[0]]"><input type="hidden" name="token" value="[[1]]">
<label class="t"><input type="checkbox" name="sure" required>[[Yes, erase all settings|是的,清除所有设置]]</label>
<button class="r">[[Erase and restart|清除并重启]]</button></form></details></section>
@end
</main>
@script
<script nonce="[[0]]">
document.querySelectorAll('[aria-controls]').forEach(function(b){b.hidden=false;b.onclick=function(){
var i=document.getElementById(b.getAttribute('aria-controls')),s=i.type=='password';i.type=s?'text':'password';
b.setAttribute('aria-pressed',s)}});
var o=document.getElementsByName('network.ssid')[0];o.oninput=function(){
document.querySelector('[name="network.ssid_hex"][value=""]').checked=true}
</script>
@message
<section role="status"><h2>[[0]]</h2><p><a class="k" href="/">[[Back|返回]]</a></p></section>
@h.200
200 OK
@h.204
204 No Content
@h.302
302 Found
@h.303
303 See Other
@h.400
400 Bad Request
@h.401
401 Unauthorized
@h.403
403 Forbidden
@h.404
404 Not Found
@h.405
405 Method Not Allowed
@h.408
408 Request Timeout
@h.411
411 Length Required
@h.413
413 Content Too Large
@h.414
414 URI Too Long
@h.415
415 Unsupported Media Type
@h.421
421 Misdirected Request
@h.422
422 Unprocessable Content
@h.429
429 Too Many Requests
@h.431
431 Request Header Fields Too Large
@h.503
503 One Moment
@h.505
505 HTTP Version Not Supported
@json
Content-Type: application/json\r
Content-Disposition: attachment; filename="settings.json"\r
\r
{
@m.restart
[[Restarting …|正在重启…]]
@m.reset
[[Erased. The node starts again as new.|已清除,节点将重新启动。]]
@m.busy
[[A trial is running. Please wait for its result.|正在尝试设置,请等待结果。]]
@m.form
[[This form is out of date. Please load the page again.|页面已过期,请重新加载。]]
@f.cloud.platform
[[Send readings to|数据发送到]]
@o.plain
[[MQTT broker|MQTT 服务器]]
@o.homeassistant
Home Assistant
@o.aliyun
[[Alibaba Cloud|阿里云]]
@o.tencent
[[Tencent Cloud|腾讯云]]
@o.onenet
OneNET [[|中国移动]]
@o.thingsboard
ThingsBoard
@o.adafruitio
Adafruit IO
@o.thingspeak
ThingSpeak
@o.azure
Azure IoT
@o.aws
AWS IoT
@o.emqx
EMQX
@o.hivemq
HiveMQ
@s.network
[[Network|网络]]
@s.address
[[Address|地址]]
@s.signal
[[Signal|信号]]
@s.broker
[[Broker|服务器]]
@s.uptime
[[Running for|已运行]]
@s.version
[[Version|版本]]
@s.memory
[[Free memory|可用内存]]
@s.reset
[[Last start|上次启动]]
@v.connected
[[connected|已连接]]
@v.connecting
[[connecting|连接中]]
@v.disconnected
[[not connected|未连接]]
@v.paused
[[pauses while this page is open|打开此页面时暂停]]
@v.power
[[power on|上电]]
@v.hard
[[reset button|复位键]]
@v.soft
[[restart|重启]]
@v.watchdog
[[watchdog|看门狗]]
@v.crash
[[crash|崩溃]]
@v.deepsleep
[[woke from sleep|睡眠唤醒]]
@p.wifi
WiFi
@p.address
[[Address|地址]]
@p.broker
[[Find the broker|查找服务器]]
@p.login
[[Log in|登录]]
@p.save
[[Save|保存]]
@k.0
○
@k.1
◌
@k.2
✗
@k.3
✓
@p.0
[[waiting|等待]]
@p.1
[[trying …|尝试中…]]
@p.2
[[failed|失败]]
@p.3
[[done|完成]]
@r.no_network
[[this network is not in range|找不到此网络]]
@r.wrong_key
[[wrong WiFi key|WiFi 密码错误]]
@r.no_address
[[the router gave no address|路由器未分配地址]]
@r.lost
[[the connection was lost|连接中断]]
@r.dead
[[connected, but nothing comes through|已连接,但无法通信]]
@r.refused
[[the network did not let the node in|无法加入网络]]
@r.broker_not_found
[[no such broker name|找不到服务器名称]]
@r.no_answer
[[the broker does not answer|服务器无响应]]
@r.tls
[[no TLS connection|TLS 连接失败]]
@r.bad_login
[[wrong user or password|用户名或密码错误]]
@r.not_authorised
[[not authorised: are user and password right?|未授权:请检查用户名和密码]]
@r.client_id
[[client id refused|客户端 ID 被拒绝]]
@r.unavailable
[[the broker is not available|服务器不可用]]
@r.timeout
[[took too long|超时]]
@r.cut
[[interrupted by a restart|因重启而中断]]
@e.key_needed
[[this network needs a key|此网络需要密码]]
@e.text
[[not readable text|文本无法识别]]
@e.needed
[[please fill in|请填写]]
@e.number
[[not a number|不是数字]]
@
"""
