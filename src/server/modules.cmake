# vmad: the application. From the leaves up.
module(server/media DEPENDS base)
module(server/voice DEPENDS base media
  LIBRARIES lib::htsengine lib::flite Threads::Threads m)
