# vmad: the application. From the leaves up.
module(server/media DEPENDS base)
