from django.db import migrations, models


def set_by_their_makers(apps, schema_editor):
    """What stands was last set by whoever made it, as far as its row knows."""
    apps.get_model("reviews", "AccessReview").objects.update(set_by=models.F("created_by"))


class Migration(migrations.Migration):

    dependencies = [
        ("reviews", "0002_whose_right"),
    ]

    operations = [
        migrations.RunPython(set_by_their_makers, migrations.RunPython.noop),
    ]
