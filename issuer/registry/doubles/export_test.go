package doubles

// FullAgain is a run over all by the model that was kept.
var FullAgain = Options{Full: true, keepModel: true}
