"""Python that the tools run on a board, over the raw REPL (wire.py). Short names: it is sent each time and costs heap."""

# Take the node out: the next start waits for a Ctrl-C before it runs the node.
STAY = "open('/stay','w').close()\nimport machine\nmachine.reset()"
# And let it run again.
GO = "import os,machine\ntry:os.remove('/stay')\nexcept OSError:pass\n"
RESTART = GO + "machine.reset()"

# _h: SHA-256 of a file; _w: of all files of a folder; _x: empty a folder
TOOLS = """\
import os,sys,hashlib,binascii,gc
def _d(f):
 h=hashlib.sha256()
 while 1:
  b=f.read(1024)
  if not b:break
  h.update(b)
 return binascii.hexlify(h.digest()).decode()
def _h(p):
 with open(p,'rb') as f:return _d(f)
def _w(d):
 try:l=list(os.ilistdir(d))
 except OSError:return
 for e in l:
  p=d+'/'+e[0]
  if e[1]&0x4000:_w(p)
  else:print(_h(p),p)
def _x(d):
 try:l=os.listdir(d)
 except OSError:return
 for n in l:os.remove(d+'/'+n)
gc.collect()
"""
ROM_HASH = """\
try:
 import vfs
 _r=memoryview(vfs.rom_ioctl(2,0))
 class _R:
  at=0
  def read(self,n):
   b=bytes(_r[self.at:min({size},self.at+n)])
   self.at+=len(b)
   return b
 print(_d(_R()))
except AttributeError:print('none')
"""

HAS_NODE = "try:\n import node\n print(True)\nexcept ImportError:print(False)"

# Whatever has been on a board belongs to somebody: only what the firmware itself makes counts as nothing.
EMPTY = """\
try:import flashbdev
except ImportError:flashbdev=None
e=set(os.listdir('/'))-{'boot.py','stay','rom'}
try:print(bool(flashbdev) and not e and 'staged' not in open('/boot.py').read())
except OSError:print(bool(flashbdev) and not e)
"""

# _e: erase blocks of LittleFS that are not; _B: read them; _L, _M: write to LittleFS and ROMFS, from a block on
BLOCK_TOOLS = """\
import vfs
from flashbdev import bdev as _b
def _e(f,t):
 b=bytearray(512);e=b'\\xff'*512
 for n in range(f,t):
  for o in range(0,4096,512):
   _b.readblocks(n,b,o)
   if b!=e:
    _b.ioctl(6,n)
    break
class _B:
 def __init__(s,n,t):s.a=n*4096;s.t=t*4096
 def read(s,n):
  n=min(n,s.t-s.a);b=bytearray(n)
  if n:
   _b.readblocks(s.a//4096,b,s.a%4096)
   s.a+=n
  return b
class _L:
 def __init__(s,n):s.a=n*4096
 def write(s,d):
  _b.writeblocks(s.a//4096,d,s.a%4096)
  s.a+=len(d)
class _M:
 def __init__(s,n):s.a=n*4096
 def write(s,d):
  r=vfs.rom_ioctl(4,0,s.a,d)
  if r<0:raise OSError(-r)
  s.a+=len(d)
"""
