package codec

import (
	"context"
	"errors"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

// protobufCodec takes values in Protobuf's JSON mapping, and encodes them as the first message of the schema.
type protobufCodec struct {
	message protoreflect.MessageType
	types   *dynamicpb.Types
}

const protoFile = "mooring-schema.proto"

func compileProtobuf(t protocol.Source) (codec, error) {
	sources := map[string]string{protoFile: t.Schema}
	for _, r := range t.References {
		sources[r.Name] = r.Schema
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(sources)}),
		MaxParallelism: 1,
	}
	files, err := compiler.Compile(context.Background(), protoFile) // it reads from memory alone
	if err != nil {
		return nil, err
	}
	if files[0].Messages().Len() == 0 {
		return nil, errors.New("it has no message")
	}
	known := new(protoregistry.Files)
	if err := register(known, files[0]); err != nil {
		return nil, err
	}
	return protobufCodec{dynamicpb.NewMessageType(files[0].Messages().Get(0)), dynamicpb.NewTypes(known)}, nil
}

// register a file and what it imports, for messages of the type google.protobuf.Any.
func register(known *protoregistry.Files, file protoreflect.FileDescriptor) error {
	if _, err := known.FindFileByPath(file.Path()); err == nil {
		return nil
	}
	imports := file.Imports()
	for i := range imports.Len() {
		if err := register(known, imports.Get(i).FileDescriptor); err != nil {
			return err
		}
	}
	return known.RegisterFile(file)
}

func (c protobufCodec) append(dst, value []byte) ([]byte, error) {
	m := c.message.New().Interface()
	if err := (protojson.UnmarshalOptions{Resolver: c.types, RecursionLimit: 200}).Unmarshal(value, m); err != nil {
		return dst, err
	}
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, m)
}
