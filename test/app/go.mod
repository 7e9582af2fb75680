module meshoperator.dev/test/app

go 1.26
