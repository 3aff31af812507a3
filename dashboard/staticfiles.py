"""Static files with a hash in each name, ES module imports included, so that they may be cached
for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModules(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
