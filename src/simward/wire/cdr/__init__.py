"""Call detail records: what operators write, mapped by a template to what the engine keeps."""
