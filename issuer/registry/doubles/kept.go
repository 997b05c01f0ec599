package doubles

import (
	"encoding/binary"
	"encoding/json"

	"aidpass/issuer/registry/match"
)

// keptMagic begins an index that is kept between runs. The length of the model as an
// unsigned varint, the model as JSON, and the index of package match follow.
const keptMagic = "aidpass-doubles-1\n"

// maxModel is more than the numbers of a model take.
const maxModel = 1 << 16

func appendKept(x *match.Index, m *match.Model) ([]byte, error) {
	model, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	out := binary.AppendUvarint([]byte(keptMagic), uint64(len(model)))
	return x.Append(append(out, model...)), nil
}

// readKept reads what appendKept wrote; any other bytes are ErrDamaged.
func readKept(b []byte) (*match.Index, *match.Model, error) {
	if len(b) < len(keptMagic) || string(b[:len(keptMagic)]) != keptMagic {
		return nil, nil, ErrDamaged
	}
	b = b[len(keptMagic):]
	n, size := binary.Uvarint(b)
	if size <= 0 || n > maxModel || n > uint64(len(b)-size) {
		return nil, nil, ErrDamaged
	}
	m := &match.Model{}
	if err := json.Unmarshal(b[size:size+int(n)], m); err != nil || !m.Whole() {
		return nil, nil, ErrDamaged
	}
	x, err := match.ReadIndex(b[size+int(n):])
	if err != nil {
		return nil, nil, ErrDamaged
	}
	return x, m, nil
}
