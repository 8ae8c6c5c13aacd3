"""Second thing that the chip runs. Everything else is in the package node."""

import node

node.main()
