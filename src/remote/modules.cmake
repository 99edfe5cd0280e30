# vma: the laptop's client and the remote agent. Links nothing heavy.
module(remote/wire DEPENDS base LIBRARIES lib::zstd)
