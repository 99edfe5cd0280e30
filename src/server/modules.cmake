# vmad: the application. From the leaves up.
module(server/media DEPENDS base)
module(server/store DEPENDS base LIBRARIES Threads::Threads)
module(server/jobs DEPENDS base LIBRARIES lib::sqlite3 Threads::Threads)
module(server/pipeline DEPENDS base media store jobs)
