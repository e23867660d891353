# The one place that names the release of the Moddable SDK that this firmware is built with. Run by mcconfig's makefile (see "SDK_DIRS" in
# manifest.json) and by `npm run firmware:check`: prints nothing where $MODDABLE is that release, or a sentence that says what to do.

release=8.2.3
found=$(cat "$MODDABLE/tools/VERSION" 2>/dev/null)
if [ "$found" != "$release" ] && [ "$SKYSLOT_SDK" != any ]; then
  echo "Skyslot was tried with release $release of the Moddable SDK, and $MODDABLE is ${found:-none}: SKYSLOT_SDK=any builds with it all the same"
fi
