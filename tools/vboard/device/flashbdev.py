"""In the VM: module `flashbdev`, the block device of LittleFS. start.py puts it here."""

bdev = None
