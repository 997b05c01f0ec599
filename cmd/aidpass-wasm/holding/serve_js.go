//go:build js && wasm

package holding

import "syscall/js"

// Publish puts the function on the page under name.
func Publish(name string) {
	d := &Desk{}
	js.Global().Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) == 0 || args[0].Type() != js.TypeString {
			return toJS(fail(errOperation))
		}
		var list []any
		for _, a := range args[1:] {
			list = append(list, fromJS(a, 0))
		}
		return toJS(d.Call(args[0].String(), list...))
	}))
}

// fromJS takes what a page can say, three lists deep.
func fromJS(v js.Value, depth int) any {
	switch v.Type() {
	case js.TypeString:
		return v.String()
	case js.TypeNumber:
		return v.Float()
	case js.TypeBoolean:
		return v.Bool()
	case js.TypeObject:
		if v.InstanceOf(js.Global().Get("Uint8Array")) {
			b := make([]byte, v.Get("length").Int())
			js.CopyBytesToGo(b, v)
			return b
		}
		if depth == 3 {
			return nil
		}
		if v.InstanceOf(js.Global().Get("Array")) {
			out := make([]any, v.Length())
			for i := range out {
				out[i] = fromJS(v.Index(i), depth+1)
			}
			return out
		}
		keys := js.Global().Get("Object").Call("keys", v)
		out := map[string]any{}
		for i := range keys.Length() {
			name := keys.Index(i).String()
			out[name] = fromJS(v.Get(name), depth+1)
		}
		return out
	}
	return nil
}

// toJS is the other way round: bytes become a Uint8Array.
func toJS(v any) any {
	switch v := v.(type) {
	case []byte:
		out := js.Global().Get("Uint8Array").New(len(v))
		js.CopyBytesToJS(out, v)
		return out
	case map[string]any:
		out := js.Global().Get("Object").New()
		for name, e := range v {
			out.Set(name, toJS(e))
		}
		return out
	case []any:
		out := js.Global().Get("Array").New(len(v))
		for i, e := range v {
			out.SetIndex(i, toJS(e))
		}
		return out
	}
	return v
}
