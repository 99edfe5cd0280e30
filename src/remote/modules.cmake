# vma: the laptop's client and the remote agent. Links nothing heavy.
