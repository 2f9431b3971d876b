package importer

import "errors"

func har([]byte, Options) (*outline, error) { return nil, errors.New("not yet") }

func postman([]byte, Options) (*outline, error) { return nil, errors.New("not yet") }
